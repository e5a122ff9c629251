# The foundation of an environment. It changes seldom, and a person applies it.

locals {
  name = "orders-${var.environment}"

  services = module.system.services
  public   = one([for name, service in local.services : name if service.public])
  called   = toset(flatten([for service in local.services : values(service.discovers)]))

  # The calls between services, by service: the load balancer calls the public one.
  calls = merge([
    for name, service in local.services : {
      for callee in values(service.discovers) : "${name} to ${callee}" => { from = name, to = callee }
    }
  ]...)
}

module "system" {
  source = "../system"
}

module "network" {
  source = "../network"

  name   = local.name
  region = var.region
  cidr   = var.network.cidr
  zones  = var.network.zones
  nat    = var.network.nat
}

module "registry" {
  source = "../registry"

  name       = local.name
  services   = toset(keys(local.services))
  disposable = !var.protected
  readers    = var.readers
}

module "tables" {
  source = "../tables"

  folder                      = "${path.module}/../../tables"
  name_prefix                 = "${local.name}-"
  deletion_protection         = var.protected
  point_in_time_recovery_days = var.point_in_time_recovery_days
  seeds                       = var.seeds
}

module "cluster" {
  source = "../cluster"

  name               = local.name
  vpc_id             = module.network.vpc_id
  subnet_ids         = module.network.private_subnet_ids
  capacity           = var.capacity
  container_insights = var.container_insights
}

module "load_balancer" {
  source = "../load_balancer"

  name        = local.name
  region      = var.region
  account_id  = var.account_id
  vpc_id      = module.network.vpc_id
  subnet_ids  = module.network.public_subnet_ids
  target_port = local.services[local.public].port
  domain      = var.domain
  plain_http  = var.plain_http
  protected   = var.protected
  log_days    = var.log_days
}

module "discovery" {
  source = "../discovery"

  name      = local.name
  namespace = "${local.name}.internal"
  vpc_id    = module.network.vpc_id
  services  = local.called
}

module "access" {
  source   = "../service/access"
  for_each = local.services

  name           = local.name
  service        = each.key
  region         = var.region
  account_id     = var.account_id
  vpc_id         = module.network.vpc_id
  out            = module.network.out
  repository_arn = module.registry.repository_arns[each.key]
  log_days       = var.log_days

  agent_repository_arns = var.agent_repository_arns

  permissions = {
    for table, permission in each.value.permissions : table => {
      arn     = module.tables.arns[table]
      actions = permission.actions
      indexes = { for index, actions in permission.indexes : module.tables.index_arns[table][index] => actions }
    }
  }
}

module "delivery" {
  source = "../delivery"

  name            = local.name
  environment     = var.environment
  region          = var.region
  account_id      = var.account_id
  repository      = var.repository
  bucket          = var.bucket
  cluster         = { arn = module.cluster.arn, name = module.cluster.name }
  repository_arns = module.registry.repository_arns
  access          = module.access

  requires = [
    for required in var.requires : {
      environment = required.environment
      bucket      = required.bucket
      repository_arns = [
        for service in keys(local.services) :
        "arn:aws:ecr:${required.region}:${required.account_id}:repository/orders-${required.environment}/${service}"
      ]
    }
  ]
}
