variable "folder" {
  description = "Folder of the table files: each the input of CreateTable, which devenv reads too."
  type        = string

  validation {
    condition     = length(fileset(var.folder, "*.json")) > 0
    error_message = "There is no *.json in ${var.folder}: name the folder of the table files, such as terraform/tables."
  }
}
