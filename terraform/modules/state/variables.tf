variable "bucket" {
  description = "Name of the bucket; unique in all of AWS."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "A bucket's name holds 3 to 63 lower-case letters, digits and '-': write one such as orders-state-ACCOUNT-REGION."
  }
}
