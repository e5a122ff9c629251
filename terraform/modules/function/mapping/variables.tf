variable "folder" {
  description = "Folder of the event source mapping files: each the input of CreateEventSourceMapping, which devenv reads too."
  type        = string
}

variable "functions" {
  description = "By name, the functions of this environment: the content of each one's file, the input of CreateFunction."
  type        = any
}

variable "source_arns" {
  description = "By ARN without region and account, as the files name a queue or a table's stream: the ARN in AWS."
  type        = map(string)
}
