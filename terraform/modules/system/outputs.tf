output "services" {
  description = "By name: port, user (uid:gid), command, health_check (command), public, internal, environment, tables, queues, topics and databases (variable to file's name), discovers (variable to service), prepared_by, and the rights: permissions (table to actions and, by index, its actions), queue_actions, topic_actions."
  value       = local.services
}

output "functions" {
  description = "By name: as a service, and its definition, the content of its file."
  value       = local.functions

  # A program that is neither a service nor a function has no way to run.
  precondition {
    condition     = !contains(keys(local.services), "low-stock")
    error_message = "low-stock is a function: write its file, low-stock.json, into ${var.functions}."
  }
}

output "images" {
  description = "The programs of this environment that have an image of their own: services, functions, and what prepares a service."
  value       = toset(concat(keys(local.wanted), [for program in local.services : program.prepared_by.service if program.prepared_by != null]))
}
