# Maps table files to the arguments of a table resource. It needs no provider, so that it is tested without one.

locals {
  files = fileset(var.folder, "*.json")

  # A file that is no JSON is null here; a precondition below names it.
  definitions = { for file in local.files : file => try(jsondecode(file("${var.folder}/${file}")), null) }
  readable    = { for file, definition in local.definitions : file => definition if can(keys(definition)) }

  known_keys = [
    "AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema", "LocalSecondaryIndexes",
    "ProvisionedThroughput", "StreamSpecification", "TableName",
  ]
  views         = ["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"]
  required_keys = ["AttributeDefinitions", "KeySchema", "TableName"]

  unknown = flatten([
    for file, definition in local.readable : [
      for key in setsubtract(keys(definition), local.known_keys) : "${file}: ${key}"
    ]
  ])
  missing = flatten([
    for file, definition in local.readable : [
      for key in setsubtract(local.required_keys, keys(definition)) : "${file}: ${key}"
    ]
  ])
  whole = { for file, definition in local.readable : file => definition if length(setsubtract(local.required_keys, keys(definition))) == 0 }

  # Every key of a table and its indexes, by file.
  schemas = {
    for file, definition in local.whole : file => concat(
      [definition.KeySchema],
      [for index in try(definition.GlobalSecondaryIndexes, []) : try(index.KeySchema, [])],
      [for index in try(definition.LocalSecondaryIndexes, []) : try(index.KeySchema, [])],
    )
  }
  key_names = { for file, schemas in local.schemas : file => distinct([for key in flatten(schemas) : try(key.AttributeName, "")]) }
  defined   = { for file, definition in local.whole : file => [for attribute in definition.AttributeDefinitions : try(attribute.AttributeName, "")] }

  undefined = flatten([for file, names in local.key_names : [for name in setsubtract(names, local.defined[file]) : "${file}: ${name}"]])
  unused    = flatten([for file, names in local.defined : [for name in setsubtract(names, local.key_names[file]) : "${file}: ${name}"]])
  keyless = [
    for file, schemas in local.schemas : file
    if anytrue([for schema in schemas : length([for key in schema : key if try(key.KeyType, "") == "HASH"]) != 1])
  ]
  unprojected = flatten([
    for file, definition in local.whole : [
      for index in concat(try(definition.GlobalSecondaryIndexes, []), try(definition.LocalSecondaryIndexes, [])) :
      "${file}: ${try(index.IndexName, "an index without a name")}"
      if !contains(["ALL", "KEYS_ONLY", "INCLUDE"], try(index.Projection.ProjectionType, ""))
    ]
  ])
  unprovisioned = [
    for file, definition in local.whole : file
    if try(definition.BillingMode, "PROVISIONED") == "PROVISIONED" && !can(definition.ProvisionedThroughput.ReadCapacityUnits)
  ]
  # A stream has a view, and a table without a stream has none.
  viewless = [
    for file, definition in local.whole : file
    if can(definition.StreamSpecification) && (
      try(definition.StreamSpecification.StreamEnabled, false)
      ? !contains(local.views, try(definition.StreamSpecification.StreamViewType, ""))
      : can(definition.StreamSpecification.StreamViewType)
    )
  ]
  names = [for definition in local.whole : definition.TableName]

  tables = {
    for file, definition in local.whole : definition.TableName => {
      file           = file
      billing_mode   = try(definition.BillingMode, "PROVISIONED")
      read_capacity  = try(definition.ProvisionedThroughput.ReadCapacityUnits, null)
      write_capacity = try(definition.ProvisionedThroughput.WriteCapacityUnits, null)
      stream_view    = try(definition.StreamSpecification.StreamEnabled, false) ? definition.StreamSpecification.StreamViewType : null
      hash_key       = one([for key in definition.KeySchema : key.AttributeName if key.KeyType == "HASH"])
      range_key      = one([for key in definition.KeySchema : key.AttributeName if key.KeyType == "RANGE"])
      attributes     = { for attribute in definition.AttributeDefinitions : attribute.AttributeName => attribute.AttributeType }
      global_indexes = {
        for index in try(definition.GlobalSecondaryIndexes, []) : index.IndexName => {
          hash_key           = one([for key in index.KeySchema : key.AttributeName if key.KeyType == "HASH"])
          range_key          = one([for key in index.KeySchema : key.AttributeName if key.KeyType == "RANGE"])
          projection_type    = try(index.Projection.ProjectionType, "")
          non_key_attributes = try(index.Projection.NonKeyAttributes, null)
          read_capacity      = try(index.ProvisionedThroughput.ReadCapacityUnits, null)
          write_capacity     = try(index.ProvisionedThroughput.WriteCapacityUnits, null)
        }
      }
      local_indexes = {
        for index in try(definition.LocalSecondaryIndexes, []) : index.IndexName => {
          range_key          = one([for key in index.KeySchema : key.AttributeName if key.KeyType == "RANGE"])
          projection_type    = try(index.Projection.ProjectionType, "")
          non_key_attributes = try(index.Projection.NonKeyAttributes, null)
        }
      }
    }
    if length(local.unsound) == 0
  }

  # Mapped only without findings: the expressions above rely on that.
  repeated = [for name in distinct(local.names) : name if length([for other in local.names : other if other == name]) > 1]
  unsound  = concat(local.unknown, local.missing, local.undefined, local.keyless, local.unprojected, local.viewless, local.repeated)
}
