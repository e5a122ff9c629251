variable "environment" {
  description = "Name of the environment: dev, staging or prod."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,15}$", var.environment))
    error_message = "Write 2 to 16 lower-case letters and digits, such as dev."
  }
}

variable "account_id" {
  description = "The environment's account, which holds nothing else: twelve digits."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id)) && var.account_id != "000000000000"
    error_message = "${var.account_id} stands for an account: write your own, twelve digits, into the environment's account.tfvars.json."
  }
}

variable "region" {
  description = "Region of the environment, such as eu-west-1."
  type        = string
}

variable "bucket" {
  description = "The bucket that holds state and records, made by the bootstrap."
  type        = string
}

variable "repository" {
  description = "OWNER/NAME on GitHub, whose workflows may release."
  type        = string
}

variable "network" {
  description = "Addresses (cidr), availability zones by name, and the private subnets' way out (nat: none, single or per_zone)."
  type        = object({ cidr = string, zones = list(string), nat = string })

  validation {
    condition     = var.network.nat != "none" || var.capacity.kind != "ec2"
    error_message = "Machines need a way out for their agent: write nat = \"single\" or \"per_zone\" with capacity of kind ec2."
  }
}

variable "capacity" {
  description = "The capacity for tasks: kind is fargate, fargate_spot or ec2; for ec2 also instance_type and max_instances."
  type        = object({ kind = string, instance_type = optional(string), max_instances = optional(number) })
}

variable "container_insights" {
  description = "Whether CloudWatch keeps metrics of each task, at a charge."
  type        = bool
}

variable "domain" {
  description = "Name of the system over HTTPS, and the Route 53 zone that holds it; null for plain HTTP."
  type        = object({ name = string, zone_id = string })
}

variable "plain_http" {
  description = "Whether to serve plain HTTP without a domain. Never in production."
  type        = bool
}

variable "protected" {
  description = "Whether to protect tables, the load balancer, logs and images against deletion. True in production."
  type        = bool
}

variable "point_in_time_recovery_days" {
  description = "Number of past days to any second of which a table can be restored: 1 to 35."
  type        = number
}

variable "seeds" {
  description = "Folder of seed files for the tables; null in an environment with customers' data."
  type        = string
}

variable "log_days" {
  description = "Retention of logs in days."
  type        = number
}

variable "agent_repository_arns" {
  description = "Repositories of agents that AWS adds to tasks, such as GuardDuty's: arn:aws:ecr:REGION:ACCOUNT:repository/aws-guardduty-agent-fargate."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.agent_repository_arns : can(regex("^arn:aws:ecr:[a-z0-9-]+:[0-9]{12}:repository/[a-z0-9][a-z0-9._/-]*$", arn))])
    error_message = "Name each repository in full, such as arn:aws:ecr:eu-west-1:694911143906:repository/aws-guardduty-agent-fargate."
  }
}

variable "readers" {
  description = "Roles of other accounts that ship the live release, such as arn:aws:iam::210987654321:role/orders-prod-promote: they may read images."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.readers : can(regex("^arn:aws:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$", arn))])
    error_message = "Name each role in full, such as arn:aws:iam::210987654321:role/orders-prod-promote: a wider pattern would let others read."
  }
}

variable "requires" {
  description = "Environments whose releases this one takes over (requires in devenv.toml): their name, account, region and bucket. The role of a promotion may read their records and images, if they name it among their readers."
  type        = list(object({ environment = string, account_id = string, region = string, bucket = string }))
  default     = []

  validation {
    condition     = alltrue([for required in var.requires : can(regex("^[0-9]{12}$", required.account_id)) && can(regex("^[a-z][a-z0-9]{1,15}$", required.environment)) && can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", required.bucket))])
    error_message = "Write each as { environment = \"dev\", account_id = \"123456789012\", region = \"eu-west-1\", bucket = \"orders-state-123456789012-eu-west-1\" }."
  }
}

variable "reporting" {
  description = "Whether the environment has reports: their services, and a PostgreSQL database."
  type        = bool
  default     = false
}

variable "low_stock" {
  description = "Whether the environment has the function that reports products of which few are left."
  type        = bool
  default     = false
}
