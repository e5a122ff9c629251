variable "name" {
  description = "Name of the environment's resources, such as orders-dev."
  type        = string
}

variable "service" {
  description = "Name of the service, such as order-api."
  type        = string
}

variable "description" {
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
}

variable "image" {
  description = "The image by digest, and the platform it was built for."
  type        = object({ reference = string, platform = string })
}

variable "region" {
  description = "Region of the environment."
  type        = string
}

variable "cluster" {
  description = "The cluster of the service, from the cluster module."
  type = object({
    arn         = string
    name        = string
    launch_type = string
    strategy    = list(object({ provider = string, weight = number, base = number }))
  })
}

variable "subnet_ids" {
  description = "Private subnets, one for each zone."
  type        = list(string)
}

variable "access" {
  description = "The identity of the service, from its access module."
  type = object({
    task_role_arn      = string
    execution_role_arn = string
    log_group          = string
    security_group_id  = string
  })
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
}

variable "size" {
  description = "The resources of one task: cpu in units (1024 are one processor) and memory in MiB, in a pair that Fargate supports."
  type        = object({ cpu = number, memory = number })

  validation {
    condition = contains(
      lookup({ 256 = [512, 1024, 2048], 512 = [1024, 2048, 3072, 4096], 1024 = range(2048, 8193, 1024), 2048 = range(4096, 16385, 1024) }, tostring(var.size.cpu), []),
      var.size.memory
    )
    error_message = "Fargate has no task of ${var.size.cpu} units and ${var.size.memory} MiB: write a pair such as 256 and 512, 512 and 1024, or 1024 and 2048."
  }
}

variable "tasks" {
  description = "The minimum and maximum number of tasks; and the requests per minute and task, where a load balancer counts them."
  type        = object({ min = number, max = number, requests_per_minute = optional(number) })

  validation {
    condition     = var.tasks.min >= 1 && var.tasks.max >= var.tasks.min
    error_message = "Write min of 1 or more, and max no less than min."
  }
  validation {
    condition     = (var.target_group == null) == (var.tasks.requests_per_minute == null)
    error_message = "Write requests_per_minute for the service behind the load balancer, and for no other."
  }
}

variable "target_group" {
  description = "The target group of its tasks, and the suffixes of its and its load balancer's names in metrics; null for a service without a load balancer."
  type        = object({ arn = string, arn_suffix = string, load_balancer_suffix = string })
}

variable "registry_arn" {
  description = "The Cloud Map service that lists its tasks; null for a service that no other calls by name."
  type        = string
}
