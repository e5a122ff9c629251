output "databases" {
  description = "By identifier: name, user, version, family (of its parameters), class, storage (GiB), storage_max, storage_as, port."
  value       = local.databases

  precondition {
    condition     = length(local.readable) == length(local.files)
    error_message = "Not a JSON object: ${join(", ", setsubtract(local.files, keys(local.readable)))}. Write the input of CreateDBInstance into each file of ${var.folder}."
  }
  precondition {
    condition     = length(local.missing) == 0
    error_message = "Missing: ${join("; ", local.missing)}. A database file has ${join(", ", local.required_keys)}."
  }
  precondition {
    condition     = length(local.owned) == 0
    error_message = "Said by Terraform, for every database or for each environment: ${join("; ", local.owned)}. Remove it from the file."
  }
  precondition {
    condition     = length(local.unknown) == 0
    error_message = "Not mapped to AWS: ${join("; ", local.unknown)}. The mapping knows ${join(", ", local.known_keys)}."
  }
  precondition {
    condition     = length(local.engines) == 0
    error_message = "Not PostgreSQL: ${join("; ", local.engines)}. Write the engine postgres."
  }
  precondition {
    condition     = length(local.repeated) == 0
    error_message = "Two files describe one database: ${join(", ", local.repeated)}. Keep one of them."
  }
  precondition {
    condition     = length(local.absent) == 0
    error_message = "No file describes ${join(", ", local.absent)}: a program's variable names it. Write it into ${var.folder}."
  }
}

output "files" {
  description = "By identifier: the content of its file, word for word."
  value       = { for definition in local.whole : definition.DBInstanceIdentifier => definition if contains(keys(local.databases), definition.DBInstanceIdentifier) }
}
