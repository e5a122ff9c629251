# The same in every environment but for its name. The differing settings are in main.tf.

terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.25"
    }
  }

  # Bucket, region and account come from ../account.tfvars.json.
  backend "s3" {
    key          = "dev/foundation.tfstate"
    encrypt      = true
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

  validation {
    condition     = length(var.allowed_account_ids) == 1
    error_message = "An environment has one account: write allowed_account_ids = [\"123456789012\"]."
  }
}

variable "readers" {
  description = "Roles of other accounts that ship the live release, from readers.tfvars.json."
  type        = list(string)
  default     = []
}

provider "aws" {
  region              = var.region
  allowed_account_ids = var.allowed_account_ids

  default_tags {
    tags = { project = "orders", environment = "dev", managed-by = "terraform/envs/dev/foundation" }
  }
}

output "release" {
  description = "The values that a release needs."
  value       = module.foundation.release
}

output "url" {
  description = "URL of the system."
  value       = module.foundation.url
}

output "repository_urls" {
  description = "By service: the repository of its image."
  value       = module.foundation.repository_urls
}

output "promote_role_arn" {
  description = "The role that a workflow of the environment assumes."
  value       = module.foundation.promote_role_arn
}

output "tables" {
  description = "The applied table files."
  value       = module.foundation.tables
}

output "queues" {
  description = "The applied queue files."
  value       = module.foundation.queues
}

output "topics" {
  description = "The applied topic files."
  value       = module.foundation.topics
}

output "subscriptions" {
  description = "The applied subscription files."
  value       = module.foundation.subscriptions
}

output "databases" {
  description = "The applied database files."
  value       = module.foundation.databases
}
