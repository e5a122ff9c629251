output "services" {
  description = "By name: port, user (uid:gid), health_check (command), public, environment, tables (variable to table file's name), discovers (variable to service), permissions (table to actions and, by index, its actions)."
  value       = local.services
}
