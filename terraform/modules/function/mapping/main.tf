# Maps function and event source mapping files to the arguments of their resources. It needs no provider, so that it is tested without one.

locals {
  known_of_function = ["Description", "EphemeralStorage", "FunctionName", "ImageConfig", "MemorySize", "PackageType", "Timeout"]
  known_of_mapping = [
    "BatchSize", "BisectBatchOnFunctionError", "EventSourceArn", "FilterCriteria", "FunctionName", "FunctionResponseTypes",
    "MaximumBatchingWindowInSeconds", "MaximumRecordAgeInSeconds", "MaximumRetryAttempts", "ParallelizationFactor", "ScalingConfig", "StartingPosition",
  ]

  files       = fileset(var.folder, "*.json")
  definitions = { for file in local.files : file => try(jsondecode(file("${var.folder}/${file}")), null) }
  readable    = { for file, definition in local.definitions : file => definition if can(keys(definition)) }
  missing     = flatten([for file, definition in local.readable : [for key in ["EventSourceArn", "FunctionName"] : "${file}: ${key}" if !can(tostring(definition[key]))]])
  unknown = concat(
    flatten([for file, definition in local.readable : [for key in setsubtract(keys(definition), local.known_of_mapping) : "${file}: ${key}"]]),
    flatten([for name, definition in var.functions : [for key in setsubtract(keys(definition), local.known_of_function) : "${name}: ${key}"]]),
  )
  archives = [for name, definition in var.functions : name if try(definition.PackageType, "") != "Image"]

  # Of this environment's functions: the others' stay out, with their sources.
  ours = { for file, definition in local.readable : file => definition if contains(keys(var.functions), try(definition.FunctionName, "")) }
  # A stream's ARN ends with a label that AWS chooses; a file may leave it out or write a placeholder.
  sources  = { for file, definition in local.ours : file => replace(try(definition.EventSourceArn, ""), "/\\/stream(\\/.*)?$/", "/stream") }
  unknowns = [for file, arn in local.sources : "${file}: ${local.ours[file].EventSourceArn}" if can(local.ours[file].EventSourceArn) && !contains(keys(var.source_arns), arn)]

  unsound = concat(tolist(setsubtract(local.files, keys(local.readable))), local.missing, local.unknown, local.archives, local.unknowns)

  functions = {
    for name, definition in var.functions : name => {
      description = try(definition.Description, null)
      timeout     = try(definition.Timeout, 3)
      memory      = try(definition.MemorySize, 128)
      storage     = try(definition.EphemeralStorage.Size, 512)
      command     = try(definition.ImageConfig.Command, null)
    } if length(local.unsound) == 0
  }

  mappings = {
    for file, definition in local.ours : trimsuffix(file, ".json") => {
      function          = definition.FunctionName
      source            = var.source_arns[local.sources[file]]
      of_stream         = startswith(definition.EventSourceArn, "arn:aws:dynamodb:")
      batch_size        = try(definition.BatchSize, null)
      window            = try(definition.MaximumBatchingWindowInSeconds, null)
      response_types    = try(definition.FunctionResponseTypes, null)
      patterns          = [for filter in try(definition.FilterCriteria.Filters, []) : filter.Pattern]
      concurrency       = try(definition.ScalingConfig.MaximumConcurrency, null)
      starting_position = try(definition.StartingPosition, null)
      bisects           = try(definition.BisectBatchOnFunctionError, null)
      max_age           = try(definition.MaximumRecordAgeInSeconds, null)
      retries           = try(definition.MaximumRetryAttempts, null)
      parallelization   = try(definition.ParallelizationFactor, null)
    } if length(local.unsound) == 0
  }
}
