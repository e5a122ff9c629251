variable "name" {
  description = "Name of the service."
  type        = string
}

variable "service" {
  description = "The service's description, from the system module."
  type = object({
    port         = number
    user         = string
    health_check = list(string)
    environment  = map(string)
    command      = optional(list(string), [])
    tables       = optional(map(string), {})
    queues       = optional(map(string), {})
    topics       = optional(map(string), {})
    databases    = optional(map(string), {})
    discovers    = optional(map(string), {})
    prepared_by  = optional(object({ service = string, command = list(string) }))
  })

  validation {
    condition     = can(regex("^[1-9][0-9]*:[1-9][0-9]*$", var.service.user))
    error_message = "A container's user is numeric and not root: write uid:gid, such as 65532:65532."
  }
  validation {
    condition     = length(var.service.health_check) > 1 && try(var.service.health_check[0] == "CMD", false)
    error_message = "The images hold no shell: write a health check as [\"CMD\", \"/order-api\", \"healthcheck\"]."
  }
}

variable "image" {
  description = "The image by digest, and the platform it was built for."
  type        = object({ reference = string, platform = string })

  validation {
    condition     = can(regex("^[^@[:space:]]+@sha256:[0-9a-f]{64}$", var.image.reference))
    error_message = "An image is named by its digest, since a tag can be moved: write ${split(":", split("@", var.image.reference)[0])[0]}@sha256:DIGEST in place of ${var.image.reference}."
  }
  validation {
    condition     = contains(["linux/amd64", "linux/arm64"], var.image.platform)
    error_message = "Fargate runs linux/amd64 and linux/arm64, not ${var.image.platform}: build the image for one of them."
  }
}

variable "region" {
  description = "Region of the environment."
  type        = string
}

variable "names" {
  description = "What a file's name stands for in AWS: by table its name, by queue its URL, by topic its ARN, by database its URL, by service its SRV name."
  type = object({
    table_names   = optional(map(string), {})
    queue_urls    = optional(map(string), {})
    topic_arns    = optional(map(string), {})
    database_urls = optional(map(string), {})
    srv_names     = optional(map(string), {})
  })
}

variable "preparation" {
  description = "The image, by digest, that prepares the service before each of its tasks; null for a service that needs none."
  type        = string
  default     = null

  validation {
    condition     = var.preparation == null || can(regex("^[^@[:space:]]+@sha256:[0-9a-f]{64}$", var.preparation))
    error_message = "An image is named by its digest, since a tag can be moved: write REPOSITORY@sha256:DIGEST."
  }
}

variable "log_group" {
  description = "Name of the log group."
  type        = string
}
