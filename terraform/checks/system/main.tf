# The part of the Terraform without a provider, with placeholders for the values of AWS, so that the checks can read
# the resulting task definitions and tables.

terraform {
  required_version = ">= 1.11"
}

locals {
  services = module.system.services
  names = {
    table_names   = { for table in keys(module.mapping.tables) : table => "check-${table}" }
    queue_urls    = { for queue in keys(module.messaging.queues) : queue => "check-${queue}" }
    topic_arns    = { for topic in keys(module.messaging.topics) : topic => "check-${topic}" }
    database_urls = { for database in distinct(flatten([for service in local.services : values(service.databases)])) : database => "check-${database}" }
    srv_names     = { for name in keys(local.services) : name => "${name}.check.internal" }
  }

  function_files = "${path.module}/../../functions"
}

# With every optional part.
module "system" {
  source = "../../modules/system"

  parts     = concat(["reporting"], fileexists("${local.function_files}/low-stock.json") ? ["low_stock"] : [])
  functions = local.function_files
}

module "messaging" {
  source = "../../modules/messaging/mapping"

  folders = {
    queues        = "${path.module}/../../queues"
    topics        = "${path.module}/../../topics"
    subscriptions = "${path.module}/../../subscriptions"
  }
  name_prefix = "check-"
  region      = "eu-west-1"
  account_id  = "123456789012"
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
  names       = local.names
  preparation = each.value.prepared_by == null ? null : "check/${each.value.prepared_by.service}@sha256:${sha256(each.value.prepared_by.service)}"
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

output "functions" {
  description = "By function: its description in the system module."
  value       = module.system.functions
}

output "tables" {
  description = "By name: the table's arguments from the mapping."
  value       = module.mapping.tables
}
