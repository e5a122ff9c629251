# Once for an account, before anything else: the bucket for the state of everything else. Its own state is a file here,
# which need not be kept: the bucket can be imported again.

terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.25"
    }
  }
}

variable "bucket" {
  description = "Name of the bucket, from the environment's account.tfvars.json."
  type        = string
}

variable "region" {
  description = "Region of the bucket, from the environment's account.tfvars.json."
  type        = string
}

variable "allowed_account_ids" {
  description = "The only account that this may change, from the environment's account.tfvars.json."
  type        = list(string)
}

provider "aws" {
  region              = var.region
  allowed_account_ids = var.allowed_account_ids

  default_tags {
    tags = { project = "orders", managed-by = "terraform/bootstrap" }
  }
}

module "state" {
  source = "../modules/state"

  bucket = var.bucket
}

output "bucket" {
  description = "The bucket that was made."
  value       = module.state.bucket
}
