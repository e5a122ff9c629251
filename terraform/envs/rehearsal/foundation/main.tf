# The foundation of a rehearsal. `devenv` creates it in the emulated account, since no provider does; this root has the
# outputs of a real environment's foundation, so that a release reads the same names.

terraform {
  required_version = ">= 1.11"

  # Bucket and region come from ../account.tfvars.json.
  backend "s3" {
    key          = "rehearsal/foundation.tfstate"
    use_lockfile = true
  }
}

variable "made" {
  description = "The content of the emulated account: its cluster, the endpoint of its services for tasks, the URLs of its queues, the ARNs of its topics, and by service the repository, log group, target group and both addresses of its load balancer."
  type = object({
    name     = string
    region   = string
    endpoint = string
    cluster  = object({ name = string, arn = string })
    account  = string
    queues   = map(string)
    topics   = map(string)
    services = map(object({
      repository   = string
      log_group    = string
      target_group = string
      url          = string
      outside_url  = string
    }))
  })
}

module "system" {
  source = "../../../modules/system"

  functions = "${path.module}/../../../functions"
}

module "mapping" {
  source = "../../../modules/tables/mapping"

  folder = "${path.module}/../../../tables"
}

module "messaging" {
  source = "../../../modules/messaging/mapping"

  folders = {
    queues        = "${path.module}/../../../queues"
    topics        = "${path.module}/../../../topics"
    subscriptions = "${path.module}/../../../subscriptions"
  }
  name_prefix = ""
  region      = var.made.region
  account_id  = var.made.account
}

output "release" {
  description = "The values that a release needs."
  value = merge(var.made, {
    names = {
      table_names = { for name in keys(module.mapping.tables) : name => name }
      queue_urls  = var.made.queues
      topic_arns  = var.made.topics
    }
  })
}

output "url" {
  description = "URL of the system."
  value       = one([for name, service in module.system.services : var.made.services[name].outside_url if service.public])
}

output "repository_urls" {
  description = "By service: the repository of its image."
  value       = { for name, service in var.made.services : name => service.repository }
}

output "tables" {
  description = "By name: the applied table files."
  value       = module.mapping.files
}

output "queues" {
  description = "By name: the applied queue files."
  value       = module.messaging.files.queues
}

output "topics" {
  description = "By name: the applied topic files."
  value       = module.messaging.files.topics
}

output "subscriptions" {
  description = "By name: the applied subscription files."
  value       = module.messaging.files.subscriptions
}
