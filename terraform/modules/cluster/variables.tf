variable "name" {
  description = "Name of the environment's resources, such as orders-dev."
  type        = string

  validation {
    condition     = !can(regex("^(aws|ecs|fargate)", lower(var.name)))
    error_message = "A capacity provider's name does not begin with aws, ecs or fargate: write one such as orders-dev."
  }
}

variable "vpc_id" {
  description = "Id of the network."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets, one for each zone, for machines of our own."
  type        = list(string)
}

variable "capacity" {
  description = "The capacity for tasks: kind is fargate, fargate_spot or ec2; for ec2 also the machines' instance_type and their maximum number."
  type        = object({ kind = string, instance_type = optional(string), max_instances = optional(number) })

  validation {
    condition     = contains(["fargate", "fargate_spot", "ec2"], var.capacity.kind)
    error_message = "Write kind = \"fargate\", \"fargate_spot\" or \"ec2\"."
  }
  validation {
    condition     = (var.capacity.kind == "ec2") == (var.capacity.instance_type != null) && (var.capacity.kind == "ec2") == (var.capacity.max_instances != null)
    error_message = "Write instance_type and max_instances with kind = \"ec2\", such as \"t3.small\" and 4, and with no other."
  }
}

variable "container_insights" {
  description = "Whether CloudWatch keeps metrics of each task, at a charge."
  type        = bool
}
