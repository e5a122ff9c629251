variable "folders" {
  description = "The folders of the queue, topic and subscription files, which devenv reads too: each file the input of CreateQueue, CreateTopic or Subscribe."
  type        = object({ queues = string, topics = string, subscriptions = string })
}

variable "name_prefix" {
  description = "Prefix of each name in AWS, such as orders-dev-; empty in a rehearsal."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]*$", var.name_prefix))
    error_message = "A queue's name holds letters, digits, '_' and '-': write a prefix such as orders-dev-."
  }
}

variable "region" {
  description = "Region of the environment, for the ARNs that the files leave incomplete."
  type        = string
}

variable "account_id" {
  description = "The environment's account, for the same ARNs."
  type        = string
}
