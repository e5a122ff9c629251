variable "name" {
  description = "Name of the environment's resources, such as orders-dev."
  type        = string
}

variable "function" {
  description = "Name of the function, such as low-stock."
  type        = string
}

variable "region" {
  description = "Region of the environment."
  type        = string
}

variable "account_id" {
  description = "The account, whose function alone may assume the role."
  type        = string
}

variable "messaging" {
  description = "By ARN of a queue or topic: the actions on it."
  type        = map(list(string))

  validation {
    condition     = alltrue([for action in flatten(values(var.messaging)) : can(regex("^(sqs|sns):[A-Za-z]+$", action))])
    error_message = "Name each action in full, such as sns:Publish."
  }
}

variable "sources" {
  description = "The ARNs of the queues and of the streams that feed it."
  type        = object({ queues = list(string), streams = list(string) })
}

variable "database_users" {
  description = "Users of databases as whom it logs in: arn:aws:rds-db:REGION:ACCOUNT:dbuser:RESOURCE/USER."
  type        = list(string)
}

variable "network" {
  description = "The private network, for a function that needs a database: vpc_id, the ARNs of its subnets, and the way to AWS over HTTPS (out). Null for one that calls AWS alone."
  type = object({
    vpc_id      = string
    subnet_arns = list(string)
    out         = object({ cidr = string, prefix_lists = map(string) })
  })
}

variable "log_days" {
  description = "Retention of its log in days."
  type        = number
}
