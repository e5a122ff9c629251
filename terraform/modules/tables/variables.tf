variable "folder" {
  description = "Folder of the table files, such as terraform/tables."
  type        = string
}

variable "name_prefix" {
  description = "Prefix of each table's name, such as orders-dev-."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9][a-zA-Z0-9_.-]*$", var.name_prefix))
    error_message = "A table's name holds letters, digits, '_', '.' and '-': write a prefix such as orders-dev-."
  }
}

variable "seeds" {
  description = "Folder of seed files, TABLE.json each a list of items in DynamoDB's JSON; null in an environment with customers' data."
  type        = string
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete a table. True in production."
  type        = bool
}

variable "point_in_time_recovery_days" {
  description = "Number of past days to any second of which a table can be restored."
  type        = number

  validation {
    condition     = var.point_in_time_recovery_days >= 1 && var.point_in_time_recovery_days <= 35
    error_message = "DynamoDB keeps 1 to 35 days."
  }
}
