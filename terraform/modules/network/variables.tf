variable "name" {
  description = "Name of the environment's resources, such as orders-dev."
  type        = string
}

variable "region" {
  description = "Region of the environment, such as eu-west-1."
  type        = string
}

variable "cidr" {
  description = "Addresses of the network: a /16 to /22, cut into sixteen subnets of which at most six are used."
  type        = string

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && try(tonumber(split("/", var.cidr)[1]) >= 16 && tonumber(split("/", var.cidr)[1]) <= 22, false)
    error_message = "Write a block of private IPv4 addresses between /16 and /22, such as 10.20.0.0/16."
  }
}

variable "zones" {
  description = "Two or three availability zones by name, such as eu-west-1a."
  type        = list(string)

  validation {
    condition     = length(var.zones) >= 2 && length(var.zones) <= 3 && length(distinct(var.zones)) == length(var.zones)
    error_message = "Write two or three different zones, such as [\"eu-west-1a\", \"eu-west-1b\"]: a load balancer needs two."
  }
}

variable "called" {
  description = "The services of AWS that programs call beside DynamoDB and S3: sns, sqs. Without a way out each gets an endpoint, at a charge."
  type        = set(string)
  default     = []

  validation {
    condition     = length(setsubtract(var.called, ["sns", "sqs"])) == 0
    error_message = "Write sns, sqs or both."
  }
}

variable "nat" {
  description = "The private subnets' way out: none (AWS is reached through endpoints, and nothing else is), single (one NAT gateway), per_zone."
  type        = string

  validation {
    condition     = contains(["none", "single", "per_zone"], var.nat)
    error_message = "Write none, single or per_zone."
  }
}
