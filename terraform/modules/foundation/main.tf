# The foundation of an environment. It changes seldom, and a person applies it.

locals {
  name = "orders-${var.environment}"

  # The optional parts of the system.
  parts = compact([var.reporting ? "reporting" : "", var.low_stock ? "low_stock" : ""])

  services  = module.system.services
  functions = module.system.functions
  programs  = merge(local.services, local.functions)
  public    = one([for name, service in local.services : name if service.public])
  called = toset(concat(
    flatten([for service in local.services : values(service.discovers)]),
    [for name, service in local.services : name if service.internal],
  ))

  # The calls between services, by service: the load balancer calls the public one.
  calls = merge([
    for name, service in local.services : {
      for callee in values(service.discovers) : "${name} to ${callee}" => { from = name, to = callee }
    }
  ]...)

  # By program: the actions on queues and topics, by their ARNs.
  messaging = {
    for name, program in local.programs : name => merge(
      { for queue, actions in program.queue_actions : module.messaging.queues[queue].arn => actions },
      { for topic, actions in program.topic_actions : module.messaging.topic_arns[topic] => actions },
    )
  }

  database_users = {
    for name, program in local.programs : name => [for database in distinct(values(program.databases)) : module.database.databases[database].user_arn]
  }

  # By ARN without region and account, as the files name it: the ARN of whatever may feed a function.
  source_arns = merge(
    { for name, queue in module.messaging.queues : "arn:aws:sqs:::${name}" => queue.arn },
    { for table, arn in module.tables.stream_arns : "arn:aws:dynamodb:::table/${table}/stream" => arn },
  )
}

module "system" {
  source = "../system"

  parts     = local.parts
  functions = "${path.module}/../../functions"
}

module "network" {
  source = "../network"

  name   = local.name
  region = var.region
  cidr   = var.network.cidr
  zones  = var.network.zones
  nat    = var.network.nat

  called = compact([
    anytrue([for program in local.programs : length(program.topic_actions) > 0]) ? "sns" : "",
    # Lambda receives for functions.
    anytrue([for service in local.services : length(service.queue_actions) > 0]) ? "sqs" : "",
  ])
}

module "registry" {
  source = "../registry"

  name       = local.name
  services   = module.system.images
  disposable = !var.protected
  readers    = var.readers
  functions  = { for name in keys(local.functions) : name => "arn:aws:lambda:${var.region}:${var.account_id}:function:${local.name}-${name}" }
}

module "tables" {
  source = "../tables"

  folder                      = "${path.module}/../../tables"
  name_prefix                 = "${local.name}-"
  deletion_protection         = var.protected
  point_in_time_recovery_days = var.point_in_time_recovery_days
  seeds                       = var.seeds
}

module "messaging" {
  source = "../messaging"

  folders = {
    queues        = "${path.module}/../../queues"
    topics        = "${path.module}/../../topics"
    subscriptions = "${path.module}/../../subscriptions"
  }
  name_prefix = "${local.name}-"
  region      = var.region
  account_id  = var.account_id
}

module "database" {
  source = "../database"

  folder      = "${path.module}/../../databases"
  names       = toset(flatten([for program in local.programs : values(program.databases)]))
  name_prefix = "${local.name}-"
  region      = var.region
  account_id  = var.account_id
  vpc_id      = module.network.vpc_id
  subnet_ids  = module.network.private_subnet_ids
  protected   = var.protected
  backup_days = var.point_in_time_recovery_days
  log_days    = var.log_days
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

  name       = local.name
  service    = each.key
  region     = var.region
  account_id = var.account_id
  vpc_id     = module.network.vpc_id
  out        = module.network.out
  log_days   = var.log_days

  repository_arns = [
    for image in concat([each.key], each.value.prepared_by == null ? [] : [each.value.prepared_by.service]) : module.registry.repository_arns[image]
  ]

  agent_repository_arns = var.agent_repository_arns

  permissions = {
    for table, permission in each.value.permissions : table => {
      arn     = module.tables.arns[table]
      actions = permission.actions
      indexes = { for index, actions in permission.indexes : module.tables.index_arns[table][index] => actions }
    }
  }

  messaging      = local.messaging[each.key]
  database_users = local.database_users[each.key]
}

module "sources" {
  source = "../function/mapping"

  folder      = "${path.module}/../../event-source-mappings"
  functions   = { for name, function in local.functions : name => function.definition }
  source_arns = local.source_arns
}

module "function_access" {
  source   = "../function/access"
  for_each = local.functions

  name           = local.name
  function       = each.key
  region         = var.region
  account_id     = var.account_id
  messaging      = local.messaging[each.key]
  database_users = local.database_users[each.key]
  log_days       = var.log_days

  sources = {
    queues  = [for mapping in module.sources.mappings : mapping.source if mapping.function == each.key && !mapping.of_stream]
    streams = [for mapping in module.sources.mappings : mapping.source if mapping.function == each.key && mapping.of_stream]
  }

  network = length(each.value.databases) == 0 ? null : {
    vpc_id      = module.network.vpc_id
    subnet_arns = [for id in module.network.private_subnet_ids : "arn:aws:ec2:${var.region}:${var.account_id}:subnet/${id}"]
    out         = module.network.out
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
  functions       = module.function_access

  requires = [
    for required in var.requires : {
      environment = required.environment
      bucket      = required.bucket
      repository_arns = [
        for image in module.system.images :
        "arn:aws:ecr:${required.region}:${required.account_id}:repository/orders-${required.environment}/${image}"
      ]
    }
  ]
}
