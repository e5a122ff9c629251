variable "foundation" {
  description = "The foundation of the environment: its output named release."
  type = object({
    name               = string
    account_id         = string
    region             = string
    repository         = string
    container_insights = bool
    subnet_ids         = list(string)
    parts              = list(string)
    source_arns        = map(string)
    registry_arns      = map(string)

    names = object({
      table_names   = map(string)
      queue_urls    = map(string)
      topic_arns    = map(string)
      database_urls = map(string)
      srv_names     = map(string)
    })

    queues          = map(object({ name = string, arn = string, dead_letter = string }))
    databases       = map(object({ identifier = string, connections = number, storage = number }))
    function_access = map(object({ role_arn = string, log_group = string, security_group_id = string }))

    access = map(object({
      task_role_arn      = string
      execution_role_arn = string
      log_group          = string
      security_group_id  = string
    }))

    cluster = object({
      arn         = string
      name        = string
      launch_type = string
      strategy    = list(object({ provider = string, weight = number, base = number }))
    })

    target_group = object({ arn = string, arn_suffix = string, load_balancer_suffix = string })
  })
}

variable "images" {
  description = "By service: its image by digest, and the platform it was built for. A promotion writes them."
  type        = map(object({ reference = string, platform = string }))
}

variable "services" {
  description = "By service: the resources of one task, and the number of tasks."
  type = map(object({
    size  = object({ cpu = number, memory = number })
    tasks = object({ min = number, max = number, requests_per_minute = optional(number) })
  }))
}

variable "concurrency" {
  description = "By function: the largest number of its invocations at a time; without one, the account's limit holds."
  type        = map(number)
  default     = {}
}

variable "emails" {
  description = "Recipients of alarms."
  type        = set(string)
}

variable "monthly_budget" {
  description = "The account's monthly budget (US dollars); the recipients get a mail before it is spent."
  type        = number
}
