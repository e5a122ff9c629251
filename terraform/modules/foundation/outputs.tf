output "release" {
  description = "The values that a release needs, passed to the release module unchanged."
  value = {
    name               = local.name
    account_id         = var.account_id
    region             = var.region
    repository         = var.repository
    container_insights = var.container_insights
    subnet_ids         = module.network.private_subnet_ids
    parts              = local.parts
    source_arns        = local.source_arns
    queues             = module.messaging.queues
    databases          = module.database.databases
    function_access    = module.function_access
    registry_arns      = module.discovery.registry_arns
    access             = module.access

    names = {
      table_names   = module.tables.names
      queue_urls    = { for name, queue in module.messaging.queues : name => queue.url }
      topic_arns    = module.messaging.topic_arns
      database_urls = { for name, database in module.database.databases : name => database.url }
      srv_names     = module.discovery.srv_names
    }

    cluster = {
      arn         = module.cluster.arn
      name        = module.cluster.name
      launch_type = module.cluster.launch_type
      strategy    = module.cluster.strategy
    }

    target_group = {
      arn                  = module.load_balancer.target_group.arn
      arn_suffix           = module.load_balancer.target_group.arn_suffix
      load_balancer_suffix = module.load_balancer.arn_suffix
    }
  }
}

output "url" {
  description = "URL of the system."
  value       = module.load_balancer.url
}

output "repository_urls" {
  description = "By service: the repository of its image."
  value       = module.registry.repository_urls
}

output "promote_role_arn" {
  description = "The role that a workflow of the environment assumes."
  value       = module.delivery.role_arn
}

output "tables" {
  description = "By name: the applied table files, with which a promotion compares its own."
  value       = module.tables.definitions
}

output "queues" {
  description = "By name: the applied queue files."
  value       = module.messaging.definitions.queues
}

output "topics" {
  description = "By name: the applied topic files."
  value       = module.messaging.definitions.topics
}

output "subscriptions" {
  description = "By name: the applied subscription files."
  value       = module.messaging.definitions.subscriptions
}

output "databases" {
  description = "By name: the applied database files, of the databases that this environment needs."
  value       = module.database.definitions
}
