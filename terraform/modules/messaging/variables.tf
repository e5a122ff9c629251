variable "folders" {
  description = "The folders of the queue, topic and subscription files."
  type        = object({ queues = string, topics = string, subscriptions = string })
}

variable "name_prefix" {
  description = "Prefix of each name, such as orders-dev-."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9][a-zA-Z0-9_-]*$", var.name_prefix))
    error_message = "A queue's name holds letters, digits, '_' and '-': write a prefix such as orders-dev-."
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
