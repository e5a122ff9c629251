# One release of the whole system. A promotion applies it, and a rollback restores it.

locals {
  services = module.system.services
}

module "system" {
  source = "../system"
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
  table_names  = var.foundation.table_names
  discovered   = var.foundation.srv_names
  size         = var.services[each.key].size
  tasks        = var.services[each.key].tasks
  target_group = each.value.public ? var.foundation.target_group : null
  registry_arn = lookup(var.foundation.registry_arns, each.key, null)
}

module "alarms" {
  source = "../alarms"

  name                 = var.foundation.name
  region               = var.foundation.region
  account_id           = var.foundation.account_id
  repository           = var.foundation.repository
  cluster_name         = var.foundation.cluster.name
  container_insights   = var.foundation.container_insights
  services             = { for name, service in var.services : name => { min = service.tasks.min } }
  table_names          = var.foundation.table_names
  load_balancer_suffix = var.foundation.target_group.load_balancer_suffix
  target_group_suffix  = var.foundation.target_group.arn_suffix
  emails               = var.emails
  monthly_budget       = var.monthly_budget
}
