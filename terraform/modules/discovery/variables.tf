variable "name" {
  description = "Name of the environment's resources, such as orders-dev."
  type        = string
}

variable "namespace" {
  description = "Private DNS domain of the services' names, such as orders-dev.internal."
  type        = string
}

variable "vpc_id" {
  description = "Id of the network in which the names resolve."
  type        = string
}

variable "services" {
  description = "The services that others call by name."
  type        = set(string)
}
