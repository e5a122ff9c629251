# What a rehearsal stands on. `devenv` makes it in the emulated account, since no provider does; this root says of it what
# the foundation of a real environment says, so that a release finds everything in the same place.

terraform {
  required_version = ">= 1.11"

  # Bucket and region come from ../account.tfvars.json.
  backend "s3" {
    key          = "rehearsal/foundation.tfstate"
    use_lockfile = true
  }
}

variable "made" {
  description = "What there is in the emulated account: its cluster, where tasks reach its services, and by service the repository, log group, target group and both addresses of its load balancer."
  type = object({
    name     = string
    region   = string
    endpoint = string
    cluster  = object({ name = string, arn = string })
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
}

module "mapping" {
  source = "../../../modules/tables/mapping"

  folder = "${path.module}/../../../tables"
}

output "release" {
  description = "What a release needs to know."
  value       = merge(var.made, { table_names = { for name in keys(module.mapping.tables) : name => name } })
}

output "url" {
  description = "Where the system answers."
  value       = one([for name, service in module.system.services : var.made.services[name].outside_url if service.public])
}

output "repository_urls" {
  description = "By service: where its image is pushed to."
  value       = { for name, service in var.made.services : name => service.repository }
}

output "tables" {
  description = "By name: the table files as they were applied."
  value       = module.mapping.files
}
