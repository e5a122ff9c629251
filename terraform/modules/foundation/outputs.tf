output "release" {
  description = "The values that a release needs, passed to the release module unchanged."
  value = {
    name               = local.name
    account_id         = var.account_id
    region             = var.region
    repository         = var.repository
    container_insights = var.container_insights
    subnet_ids         = module.network.private_subnet_ids
    table_names        = module.tables.names
    srv_names          = module.discovery.srv_names
    registry_arns      = module.discovery.registry_arns
    access             = module.access

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
