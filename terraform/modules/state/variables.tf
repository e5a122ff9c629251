variable "bucket" {
  description = "Name of the bucket; unique in all of AWS."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "A bucket's name holds 3 to 63 lower-case letters, digits and '-': write one such as orders-state-ACCOUNT-REGION."
  }
}

variable "evidence_writers" {
  description = "Roles that alone may write evidence, as ARNs in which * may stand: those of the build server."
  type        = list(string)

  validation {
    condition     = length(var.evidence_writers) > 0 && alltrue([for arn in var.evidence_writers : can(regex("^arn:aws:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/*-]*[A-Za-z0-9]$", arn))])
    error_message = "Name at least one role in full, such as arn:aws:iam::123456789012:role/orders-dev-promote."
  }
}

variable "readers" {
  description = "Roles of other accounts that ship the live release, such as arn:aws:iam::210987654321:role/orders-prod-promote: they may read records and evidence."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.readers : can(regex("^arn:aws:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$", arn))])
    error_message = "Name each role in full, such as arn:aws:iam::210987654321:role/orders-prod-promote: a wider pattern would let others read."
  }
}
