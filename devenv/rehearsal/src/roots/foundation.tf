# The foundation of a rehearsal. `devenv` creates it in the emulated account, since no provider does; this root has the
# outputs of a real environment's foundation, so that a release reads the same names.

terraform {
  required_version = ">= 1.11"

  # Bucket and region come from ../account.tfvars.json.
  backend "s3" {
    key          = "TARGET/foundation.tfstate"
    use_lockfile = true
  }
}

variable "made" {
  description = "The content of the emulated account: its cluster, and by service the repository, log group, target group and both addresses of its load balancer."
  type        = any
}

variable "public" {
  description = "The service that answers at the system's address."
  type        = string
}

variable "tables" {
  description = "By name: the table files."
  type        = any
}

variable "messaging" {
  description = "By kind (queues, topics, subscriptions), by name: the files."
  type        = any
}

output "release" {
  description = "The values that a release needs."
  value       = var.made
}

output "url" {
  description = "URL of the system."
  value       = var.made.services[var.public].outside_url
}

output "urls" {
  description = "By service: its URL."
  value       = { for name, service in var.made.services : name => service.outside_url }
}

output "repository_urls" {
  description = "By service: the repository of its image."
  value       = { for name, service in var.made.services : name => service.repository }
}

output "tables" {
  description = "By name: the applied table files."
  value       = var.tables
}

output "queues" {
  description = "By name: the applied queue files."
  value       = var.messaging.queues
}

output "topics" {
  description = "By name: the applied topic files."
  value       = var.messaging.topics
}

output "subscriptions" {
  description = "By name: the applied subscription files."
  value       = var.messaging.subscriptions
}
