# The part of the Terraform that asks no provider, with values that stand for what AWS would say, so that checks can read
# what a task definition and a table would be.

terraform {
  required_version = ">= 1.11"
}

locals {
  services = module.system.services
  names    = { for table in keys(module.mapping.tables) : table => "check-${table}" }
}

module "system" {
  source = "../../modules/system"
}

module "mapping" {
  source = "../../modules/tables/mapping"

  folder = "${path.module}/../../tables"
}

module "container" {
  source   = "../../modules/service/container"
  for_each = local.services

  name        = each.key
  service     = each.value
  image       = { reference = "check/${each.key}@sha256:${sha256(each.key)}", platform = "linux/amd64" }
  region      = "eu-west-1"
  table_names = local.names
  discovered  = { for name in keys(local.services) : name => "${name}.check.internal" }
  log_group   = "/check/${each.key}"
}

output "definitions" {
  description = "By service: its container definition."
  value       = { for name, container in module.container : name => container.definition }
}

output "services" {
  description = "By service: what the system module says of it."
  value       = local.services
}

output "tables" {
  description = "By name: the table as the mapping gives it to its resource."
  value       = module.mapping.tables
}
