output "functions" {
  description = "By name: description, timeout (seconds), memory and storage (MiB), command (null for the image's own)."
  value       = local.functions

  precondition {
    condition     = length(local.archives) == 0
    error_message = "Not an image: ${join(", ", local.archives)}. Write \"PackageType\": \"Image\" into the function's file, since a promotion ships tested images."
  }
}

output "mappings" {
  description = "By its file's name: function, source (ARN), of_stream, and the arguments of its reads."
  value       = local.mappings

  precondition {
    condition     = length(local.readable) == length(local.files)
    error_message = "Not a JSON object: ${join(", ", setsubtract(local.files, keys(local.readable)))}. Write the input of CreateEventSourceMapping into each file of ${var.folder}."
  }
  precondition {
    condition     = length(local.missing) == 0
    error_message = "Missing: ${join("; ", local.missing)}. An event source mapping file has FunctionName and EventSourceArn."
  }
  precondition {
    condition     = length(local.unknown) == 0
    error_message = "Not mapped to AWS: ${join("; ", local.unknown)}. The mapping knows ${join(", ", concat(local.known_of_function, local.known_of_mapping))}."
  }
  precondition {
    condition     = length(local.unknowns) == 0
    error_message = "No file declares the source: ${join("; ", local.unknowns)}. Write arn:aws:sqs:::QUEUE, or arn:aws:dynamodb:::table/TABLE/stream for a table whose file has a StreamSpecification."
  }
}
