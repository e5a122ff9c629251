variable "name" {
  description = "Name of the environment's resources, such as orders-dev; the repositories are NAME/SERVICE."
  type        = string
}

variable "services" {
  description = "Names of the services, each with a repository."
  type        = set(string)
}

variable "disposable" {
  description = "Whether terraform destroy may remove a repository that still holds images. False in production."
  type        = bool
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

variable "functions" {
  description = "By program that is a function: its ARN, which pulls its images."
  type        = map(string)
  default     = {}
}
