variable "name" {
  description = "Name of the environment's resources, such as orders-dev."
  type        = string
}

variable "function" {
  description = "Name of the function, such as low-stock."
  type        = string
}

variable "arguments" {
  description = "Its arguments, from the mapping module."
  type = object({
    description = string
    timeout     = number
    memory      = number
    storage     = number
    command     = list(string)
  })
}

variable "mappings" {
  description = "Its event source mappings, from the mapping module, by the name of their files."
  type        = any
}

variable "image" {
  description = "The image by digest, and the platform it was built for."
  type        = object({ reference = string, platform = string })

  validation {
    condition     = can(regex("^[^@[:space:]]+@sha256:[0-9a-f]{64}$", var.image.reference))
    error_message = "An image is named by its digest, since a tag can be moved: write REPOSITORY@sha256:DIGEST in place of ${var.image.reference}."
  }
  validation {
    condition     = contains(["linux/amd64", "linux/arm64"], var.image.platform)
    error_message = "Lambda runs linux/amd64 and linux/arm64, not ${var.image.platform}: build the image for one of them."
  }
}

variable "access" {
  description = "The identity of the function, from its access module."
  type        = object({ role_arn = string, log_group = string, security_group_id = string })
}

variable "subnet_ids" {
  description = "Private subnets, for a function with a security group."
  type        = list(string)
}

variable "environment" {
  description = "Its variables."
  type        = map(string)
}

variable "concurrency" {
  description = "The largest number of its invocations at a time; -1 for no limit but the account's."
  type        = number

  validation {
    condition     = var.concurrency == -1 || var.concurrency >= 1
    error_message = "Write 1 or more, or -1 for the account's limit: 0 would stop the function."
  }
}
