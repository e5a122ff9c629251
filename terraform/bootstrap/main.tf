# Once per account, before anything else: the bucket for the state of everything else. Its own state is a file here,
# which you need not keep: the bucket can be imported again.

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

variable "readers" {
  description = "Roles of other accounts that ship the live release, from the environment's readers.tfvars.json."
  type        = list(string)
  default     = []
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

  bucket  = var.bucket
  readers = var.readers

  # The role of a promotion, which only the build server's jobs may assume: modules/delivery creates it.
  evidence_writers = [for account in var.allowed_account_ids : "arn:aws:iam::${account}:role/orders-*-promote"]
}

output "bucket" {
  description = "The created bucket."
  value       = module.state.bucket
}
