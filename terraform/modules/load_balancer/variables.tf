variable "name" {
  description = "Name of the environment's resources, such as orders-dev."
  type        = string

  validation {
    condition     = length(var.name) <= 32
    error_message = "A load balancer's name has at most 32 characters: shorten ${var.name}."
  }
}

variable "region" {
  description = "Region of the environment, such as eu-west-1."
  type        = string
}

variable "account_id" {
  description = "The account, whose load balancers may write access logs."
  type        = string
}

variable "vpc_id" {
  description = "Id of the network."
  type        = string
}

variable "subnet_ids" {
  description = "Public subnets, one for each zone."
  type        = list(string)
}

variable "target_port" {
  description = "Port of the tasks behind it."
  type        = number
}

variable "domain" {
  description = "Its name over HTTPS, and the Route 53 zone that holds it; null for plain HTTP."
  type        = object({ name = string, zone_id = string })

  validation {
    condition     = var.domain != null || var.plain_http
    error_message = "Without a domain there is no certificate: write domain = { name = \"orders.example.com\", zone_id = \"Z...\" }, or plain_http = true to serve plain HTTP."
  }
}

variable "plain_http" {
  description = "Whether to serve plain HTTP without a domain. Never in production."
  type        = bool
}

variable "protected" {
  description = "Whether to protect it and its logs against deletion. True in production."
  type        = bool
}

variable "log_days" {
  description = "Retention of access logs in days."
  type        = number

  validation {
    condition     = var.log_days >= 1 && var.log_days <= 3650
    error_message = "Write 1 to 3650 days."
  }
}
