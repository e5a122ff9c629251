variable "name" {
  description = "Name of the environment's resources, such as orders-dev."
  type        = string
}

variable "namespace" {
  description = "Private DNS name that the services' names end with, such as orders-dev.internal."
  type        = string
}

variable "vpc_id" {
  description = "Id of the network in which the names are known."
  type        = string
}

variable "services" {
  description = "The services that others look for."
  type        = set(string)
}
