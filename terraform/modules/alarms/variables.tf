variable "name" {
  description = "Name of the environment's resources, such as orders-dev."
  type        = string
}

variable "region" {
  description = "Region of the environment."
  type        = string
}

variable "account_id" {
  description = "The account, whose alarms and budgets may notify."
  type        = string
}

variable "repository" {
  description = "OWNER/NAME on GitHub, where the runbooks are."
  type        = string
}

variable "cluster_name" {
  description = "The cluster's name in metrics."
  type        = string
}

variable "container_insights" {
  description = "Whether CloudWatch keeps metrics of each task."
  type        = bool
}

variable "services" {
  description = "By name: the minimum number of tasks."
  type        = map(object({ min = number }))
}

variable "table_names" {
  description = "By the name in the table file: the table's name in AWS."
  type        = map(string)
}

variable "queues" {
  description = "By the name in its file, of the queues that a program empties: the queue's name in AWS."
  type        = map(string)
}

variable "dead_letters" {
  description = "By the name in its file: the name in AWS of a dead-letter queue."
  type        = map(string)
}

variable "functions" {
  description = "By function: its name in AWS, and whether a stream feeds it."
  type        = map(object({ name = string, of_stream = bool }))
}

variable "databases" {
  description = "By the name in its file: identifier in AWS, connections that it admits, and storage in bytes."
  type        = map(object({ identifier = string, connections = number, storage = number }))
}

variable "load_balancer_suffix" {
  description = "The load balancer's name in metrics."
  type        = string
}

variable "target_group_suffix" {
  description = "The target group's name in metrics."
  type        = string
}

variable "emails" {
  description = "Recipients. AWS asks each of them once to confirm."
  type        = set(string)

  validation {
    condition     = length(var.emails) > 0 && alltrue([for email in var.emails : can(regex("^[^@[:space:]]+@[^@[:space:]]+$", email))])
    error_message = "An alarm needs a recipient: write at least one address, such as [\"orders@example.com\"]."
  }
}

variable "monthly_budget" {
  description = "The account's monthly budget (US dollars); the recipients get a mail before it is spent."
  type        = number

  validation {
    condition     = var.monthly_budget > 0
    error_message = "Write an amount in dollars, such as 100."
  }
}
