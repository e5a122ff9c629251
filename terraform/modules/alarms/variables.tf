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
  description = "The cluster, as metrics name it."
  type        = string
}

variable "container_insights" {
  description = "Whether CloudWatch keeps metrics of each task."
  type        = bool
}

variable "services" {
  description = "By name: the least number of tasks."
  type        = map(object({ min = number }))
}

variable "table_names" {
  description = "By the name in the table file: the table's name in AWS."
  type        = map(string)
}

variable "load_balancer_suffix" {
  description = "The load balancer, as metrics name it."
  type        = string
}

variable "target_group_suffix" {
  description = "The target group, as metrics name it."
  type        = string
}

variable "emails" {
  description = "Who is told. AWS asks each of them once whether they agree."
  type        = set(string)

  validation {
    condition     = length(var.emails) > 0 && alltrue([for email in var.emails : can(regex("^[^@[:space:]]+@[^@[:space:]]+$", email))])
    error_message = "An alarm that tells nobody is none: write at least one address, such as [\"orders@example.com\"]."
  }
}

variable "monthly_budget" {
  description = "What the account may spend in a month before somebody is told (US dollars)."
  type        = number

  validation {
    condition     = var.monthly_budget > 0
    error_message = "Write an amount in dollars, such as 100."
  }
}
