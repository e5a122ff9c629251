# One release of the whole system. A promotion applies it, and a rollback restores it.

locals {
  services = module.system.services

  # Lambda, and not its program, receives from the queues that feed functions.
  fed = [for mapping in module.sources.mappings : mapping.source]
  # A queue that no program of this environment empties is no reason for an alarm: its messages expire.
  consumed = [
    for name, queue in var.foundation.queues : name
    if contains(local.fed, queue.arn) || anytrue([for service in local.services : contains(lookup(service.queue_actions, name, []), "sqs:ReceiveMessage")])
  ]
}

module "system" {
  source = "../system"

  parts     = var.foundation.parts
  functions = "${path.module}/../../functions"
}

module "sources" {
  source = "../function/mapping"

  folder      = "${path.module}/../../event-source-mappings"
  functions   = { for name, function in module.system.functions : name => function.definition }
  source_arns = var.foundation.source_arns
}

module "service" {
  source   = "../service"
  for_each = local.services

  name         = var.foundation.name
  service      = each.key
  description  = each.value
  image        = var.images[each.key]
  region       = var.foundation.region
  cluster      = var.foundation.cluster
  subnet_ids   = var.foundation.subnet_ids
  access       = var.foundation.access[each.key]
  names        = var.foundation.names
  preparation  = each.value.prepared_by == null ? null : var.images[each.value.prepared_by.service].reference
  size         = var.services[each.key].size
  tasks        = var.services[each.key].tasks
  target_group = each.value.public ? var.foundation.target_group : null
  registry_arn = lookup(var.foundation.registry_arns, each.key, null)
}

module "function" {
  source   = "../function"
  for_each = module.system.functions

  name        = var.foundation.name
  function    = each.key
  arguments   = module.sources.functions[each.key]
  mappings    = { for name, mapping in module.sources.mappings : name => mapping if mapping.function == each.key }
  image       = var.images[each.key]
  access      = var.foundation.function_access[each.key]
  subnet_ids  = var.foundation.subnet_ids
  concurrency = lookup(var.concurrency, each.key, -1)

  environment = merge(
    each.value.environment,
    { for variable, table in each.value.tables : variable => var.foundation.names.table_names[table] },
    { for variable, queue in each.value.queues : variable => var.foundation.names.queue_urls[queue] },
    { for variable, topic in each.value.topics : variable => var.foundation.names.topic_arns[topic] },
    { for variable, database in each.value.databases : variable => var.foundation.names.database_urls[database] },
    length(each.value.databases) == 0 ? {} : { DATABASE_IAM = "true" },
    { IMAGE = var.images[each.key].reference },
  )
}

module "alarms" {
  source = "../alarms"

  name                 = var.foundation.name
  region               = var.foundation.region
  account_id           = var.foundation.account_id
  repository           = var.foundation.repository
  cluster_name         = var.foundation.cluster.name
  container_insights   = var.foundation.container_insights
  services             = { for name in keys(local.services) : name => { min = var.services[name].tasks.min } }
  table_names          = var.foundation.names.table_names
  queues               = { for name in local.consumed : name => var.foundation.queues[name].name }
  dead_letters         = { for name in compact([for queue in var.foundation.queues : queue.dead_letter]) : name => var.foundation.queues[name].name }
  databases            = var.foundation.databases
  load_balancer_suffix = var.foundation.target_group.load_balancer_suffix
  target_group_suffix  = var.foundation.target_group.arn_suffix
  emails               = var.emails
  monthly_budget       = var.monthly_budget

  functions = {
    for name, function in module.function : name => {
      name      = function.name
      of_stream = anytrue([for mapping in module.sources.mappings : mapping.of_stream if mapping.function == name])
    }
  }
}
