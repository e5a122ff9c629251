variable "folder" {
  description = "Folder of the database files: each the input of CreateDBInstance, which devenv reads too."
  type        = string
}

variable "names" {
  description = "The databases of this environment, by the identifiers in their files."
  type        = set(string)
}
