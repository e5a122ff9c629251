variable "name" {
  description = "Name of the environment's resources, such as orders-dev."
  type        = string
}

variable "environment" {
  description = "Name of the environment, here and on GitHub: dev, staging or prod."
  type        = string
}

variable "region" {
  description = "Region of the environment."
  type        = string
}

variable "account_id" {
  description = "The environment's account."
  type        = string
}

variable "bucket" {
  description = "The bucket that holds state and records."
  type        = string
}

variable "cluster" {
  description = "The cluster of the services."
  type        = object({ arn = string, name = string })
}

variable "repository_arns" {
  description = "By service: its image repository."
  type        = map(string)
}

variable "access" {
  description = "By service: its roles, which a release passes on, and its log, which shows why a task ended."
  type        = map(object({ task_role_arn = string, execution_role_arn = string, log_group_arn = string }))
}

variable "functions" {
  description = "By function: its role, which a release passes on, and its security group, or null."
  type        = map(object({ role_arn = string, security_group_id = string }))
  default     = {}
}

variable "requires" {
  description = "Environments whose releases this one takes over: the places of their records and images, which this one reads and never writes."
  type        = list(object({ environment = string, bucket = string, repository_arns = list(string) }))
  default     = []
}
