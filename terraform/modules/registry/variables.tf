variable "name" {
  description = "Name of the environment's resources, such as orders-dev; the repositories are NAME/SERVICE."
  type        = string
}

variable "services" {
  description = "Names of the services, each with a repository."
  type        = set(string)
}

variable "disposable" {
  description = "Whether terraform destroy may remove a repository that still holds images. False in production."
  type        = bool
}
