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
    key          = "staging/release.tfstate"
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

provider "aws" {
  region              = var.region
  allowed_account_ids = var.allowed_account_ids

  default_tags {
    tags = { project = "orders", environment = "staging", managed-by = "terraform/envs/staging/release" }
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
    key                 = "staging/foundation.tfstate"
  }
}

output "task_definitions" {
  description = "By service: the task definition of this release."
  value       = module.release.task_definitions
}

output "alarm_topic_arn" {
  description = "The topic of the alarms."
  value       = module.release.alarm_topic_arn
}

output "images" {
  description = "By service: the image of this release."
  value       = module.release.images
}
