variable "parts" {
  description = "The optional parts of the system in this environment: reporting, low_stock, or none."
  type        = set(string)
  default     = []

  validation {
    condition     = length(setsubtract(var.parts, ["reporting", "low_stock"])) == 0
    error_message = "The optional parts are reporting and low_stock, not ${join(", ", setsubtract(var.parts, ["reporting", "low_stock"]))}."
  }
}

variable "functions" {
  description = "Folder of the function files: the program of that name is a function then, and else a service."
  type        = string
}
