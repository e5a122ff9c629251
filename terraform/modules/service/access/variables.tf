variable "name" {
  description = "Name of the environment's resources, such as orders-dev."
  type        = string
}

variable "service" {
  description = "Name of the service, such as order-api."
  type        = string
}

variable "region" {
  description = "Region of the environment."
  type        = string
}

variable "account_id" {
  description = "The account, whose tasks alone may assume the roles."
  type        = string
}

variable "vpc_id" {
  description = "Id of the network."
  type        = string
}

variable "out" {
  description = "The addresses of AWS over HTTPS, from the network module: a cidr, and prefix lists by name."
  type        = object({ cidr = string, prefix_lists = map(string) })
}

variable "repository_arns" {
  description = "The repositories of the images in its tasks."
  type        = list(string)
}

variable "permissions" {
  description = "By table: its arn, the actions on it, and by index ARN the actions on that."
  type        = map(object({ arn = string, actions = list(string), indexes = map(list(string)) }))

  validation {
    condition     = alltrue([for action in flatten([for permission in var.permissions : concat(permission.actions, values(permission.indexes)...)]) : can(regex("^dynamodb:[A-Za-z]+$", action))])
    error_message = "Name each action in full, such as dynamodb:GetItem."
  }
}

variable "messaging" {
  description = "By ARN of a queue or topic: the actions on it."
  type        = map(list(string))
  default     = {}

  validation {
    condition     = alltrue([for action in flatten(values(var.messaging)) : can(regex("^(sqs|sns):[A-Za-z]+$", action))])
    error_message = "Name each action in full, such as sqs:ReceiveMessage."
  }
}

variable "database_users" {
  description = "Users of databases as whom it logs in: arn:aws:rds-db:REGION:ACCOUNT:dbuser:RESOURCE/USER."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.database_users : can(regex("^arn:aws:rds-db:[a-z0-9-]+:[0-9]{12}:dbuser:db-[A-Z0-9]+/[A-Za-z0-9_]+$", arn))])
    error_message = "Name each database and user in full, such as arn:aws:rds-db:eu-west-1:123456789012:dbuser:db-ABCDEFGHIJKL01234/reporting: any other pattern opens more."
  }
}

variable "log_days" {
  description = "Retention of its log in days: one of the numbers that CloudWatch accepts."
  type        = number

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_days)
    error_message = "CloudWatch accepts 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365 days and a few longer ones: write one of them."
  }
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
