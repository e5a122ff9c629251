variable "folder" {
  description = "Folder of the database files, such as terraform/databases."
  type        = string
}

variable "names" {
  description = "The databases of this environment, by the identifiers in their files; none makes none."
  type        = set(string)
}

variable "name_prefix" {
  description = "Prefix of each identifier, such as orders-dev-."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*-$", var.name_prefix)) && !strcontains(var.name_prefix, "--")
    error_message = "An identifier holds lower-case letters, digits and single '-': write a prefix such as orders-dev-."
  }
}

variable "region" {
  description = "Region of the environment."
  type        = string
}

variable "account_id" {
  description = "The environment's account."
  type        = string
}

variable "vpc_id" {
  description = "Id of the network."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets, in two zones at least."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "RDS demands subnets in two zones."
  }
}

variable "protected" {
  description = "Whether to refuse deletion, keep a final snapshot, and run a standby in a second zone. True in production."
  type        = bool
}

variable "backup_days" {
  description = "Number of past days to any second of which a database can be restored: 1 to 35."
  type        = number

  validation {
    condition     = var.backup_days >= 1 && var.backup_days <= 35
    error_message = "RDS keeps 1 to 35 days; 0 would mean no backup."
  }
}

variable "log_days" {
  description = "Retention of its log in days."
  type        = number
}
