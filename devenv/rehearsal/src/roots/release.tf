# One release of the whole system, in an emulated AWS. State, lock, plan, variables and outputs are the real ones; in place
# of the provider, `devenv` registers the task definitions and updates the services.

terraform {
  required_version = ">= 1.11"

  # Bucket and region come from ../account.tfvars.json.
  backend "s3" {
    key          = "TARGET/release.tfstate"
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
  description = "The only account that this may change, from account.tfvars.json."
  type        = list(string)
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
    key                 = "TARGET/foundation.tfstate"
    use_path_style      = true
  }
}

locals {
  foundation = data.terraform_remote_state.foundation.outputs.release

  # The services as the Compose file of this release describes them, without their images.
  services = jsondecode(file("${path.module}/services.json"))

  orders = {
    for name, service in local.services : name => jsonencode({
      cluster      = local.foundation.cluster.name
      service      = name
      family       = "${local.foundation.name}-${name}"
      container    = merge(service.container, { image = var.images[name].reference })
      target_group = local.foundation.services[name].target_group
      port         = service.port
      tasks        = service.tasks
    })
  }
}

resource "terraform_data" "service" {
  for_each = toset(keys(local.orders))

  # Any change in the order is another release of the service. It has the service's variables, which no plan prints.
  triggers_replace = [sensitive(local.orders[each.key])]

  provisioner "local-exec" {
    command     = "\"$DEVENV_BIN\" rehearse-service --quiet"
    environment = { DEVENV_SERVICE = local.orders[each.key] }
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
