# The part of the Terraform without a provider, with placeholders for the values of AWS, so that the checks can read
# the resulting task definitions and tables.

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
  description = "By service: its description in the system module."
  value       = local.services
}

output "tables" {
  description = "By name: the table's arguments from the mapping."
  value       = module.mapping.tables
}
