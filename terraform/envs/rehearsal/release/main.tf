# One release of the whole system, in an emulated AWS. State, lock, plan, variables and outputs are the real ones, and so
# are the container definitions; in place of the provider, `devenv` registers them and updates the services.

terraform {
  required_version = ">= 1.11"

  # Bucket and region come from ../account.tfvars.json.
  backend "s3" {
    key          = "rehearsal/release.tfstate"
    use_lockfile = true
  }
}

variable "bucket" {
  description = "The bucket that holds state and records, from account.tfvars.json."
  type        = string
}

variable "region" {
  description = "Region of the environment, from account.tfvars.json."
  type        = string
}

variable "allowed_account_ids" {
  description = "The only account that this may change, from account.tfvars.json; an emulator has only one."
  type        = list(string)

  validation {
    condition     = length(var.allowed_account_ids) == 1
    error_message = "An environment has one account: write allowed_account_ids = [\"000000000000\"]."
  }
}

variable "images" {
  description = "By service: its image by digest (reference, REPOSITORY@sha256:...) and the platform it was built for."
  type        = map(object({ reference = string, platform = string }))
}

data "terraform_remote_state" "foundation" {
  backend = "s3"

  config = {
    bucket              = var.bucket
    region              = var.region
    allowed_account_ids = var.allowed_account_ids
    key                 = "rehearsal/foundation.tfstate"
    use_path_style      = true
  }
}

module "system" {
  source = "../../../modules/system"

  functions = "${path.module}/../../../functions"
}

locals {
  foundation = data.terraform_remote_state.foundation.outputs.release

  # By SRV variable of a service: the variable for the address of the other's load balancer.
  addresses = { ORDER_PROCESSOR_SRV = "ORDER_PROCESSOR_URL" }

  services = {
    for name, service in module.system.services : name => merge(service, {
      discovers = {}
      environment = merge(
        service.environment,
        { for variable, other in service.discovers : local.addresses[variable] => local.foundation.services[other].url },
        # A dummy login opens nothing; the emulator's own credentials come over plain HTTP, which the SDK refuses.
        {
          AWS_ENDPOINT_URL_DYNAMODB = local.foundation.endpoint
          AWS_ENDPOINT_URL_SNS      = local.foundation.endpoint
          AWS_ENDPOINT_URL_SQS      = local.foundation.endpoint
          AWS_ACCESS_KEY_ID         = "devenv"
          AWS_SECRET_ACCESS_KEY     = "devenv"
        },
      )
    })
  }

  orders = {
    for name, service in local.services : name => jsonencode({
      cluster      = local.foundation.cluster.name
      service      = name
      family       = "${local.foundation.name}-${name}"
      container    = module.container[name].definition
      target_group = local.foundation.services[name].target_group
      port         = service.port
      tasks        = 1
    })
  }
}

module "container" {
  source   = "../../../modules/service/container"
  for_each = local.services

  name      = each.key
  service   = each.value
  image     = var.images[each.key]
  region    = local.foundation.region
  names     = local.foundation.names
  log_group = local.foundation.services[each.key].log_group
}

resource "terraform_data" "service" {
  for_each = local.orders

  # Any change in the order is another release of the service.
  triggers_replace = [each.value]

  provisioner "local-exec" {
    command     = "\"$DEVENV_BIN\" rehearse-service --quiet"
    environment = { DEVENV_SERVICE = each.value }
  }
}

output "task_definitions" {
  description = "By service: the family whose newest task definition belongs to this release."
  value       = { for name in keys(local.orders) : name => "${local.foundation.name}-${name}" }

  depends_on = [terraform_data.service]
}

output "images" {
  description = "By service: the image of this release."
  value       = { for name, image in var.images : name => image.reference }
}
