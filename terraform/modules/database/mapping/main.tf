# Maps database files to the arguments of an RDS instance. It needs no provider, so that it is tested without one.

locals {
  files = fileset(var.folder, "*.json")

  # A file that is no JSON is null here; a precondition names it.
  definitions = { for file in local.files : file => try(jsondecode(file("${var.folder}/${file}")), null) }
  readable    = { for file, definition in local.definitions : file => definition if can(keys(definition)) }

  required_keys = ["AllocatedStorage", "DBInstanceClass", "DBInstanceIdentifier", "DBName", "Engine", "EngineVersion", "MasterUsername"]
  known_keys    = concat(local.required_keys, ["MaxAllocatedStorage", "Port", "StorageType"])
  # Terraform says these for every database, or each environment for its own.
  owned_keys = [
    "BackupRetentionPeriod", "DBParameterGroupName", "DBSubnetGroupName", "DeletionProtection", "EnableIAMDatabaseAuthentication", "KmsKeyId",
    "ManageMasterUserPassword", "MasterUserPassword", "MultiAZ", "PubliclyAccessible", "StorageEncrypted", "VpcSecurityGroupIds",
  ]

  missing = flatten([for file, definition in local.readable : [for key in setsubtract(local.required_keys, keys(definition)) : "${file}: ${key}"]])
  owned   = flatten([for file, definition in local.readable : [for key in setintersection(keys(definition), local.owned_keys) : "${file}: ${key}"]])
  unknown = flatten([
    for file, definition in local.readable : [for key in setsubtract(keys(definition), concat(local.known_keys, local.owned_keys)) : "${file}: ${key}"]
  ])
  whole    = { for file, definition in local.readable : file => definition if length(setsubtract(local.required_keys, keys(definition))) == 0 }
  engines  = [for file, definition in local.whole : "${file}: ${definition.Engine}" if definition.Engine != "postgres"]
  repeated = [for name, files in { for file, definition in local.whole : definition.DBInstanceIdentifier => file... } : name if length(files) > 1]
  absent   = setsubtract(var.names, [for definition in local.whole : definition.DBInstanceIdentifier])

  unsound = concat(tolist(setsubtract(local.files, keys(local.readable))), local.missing, local.owned, local.unknown, local.engines, local.repeated, tolist(local.absent))

  databases = {
    for file, definition in local.whole : definition.DBInstanceIdentifier => {
      name        = definition.DBName
      user        = definition.MasterUsername
      version     = tostring(definition.EngineVersion)
      family      = "postgres${split(".", tostring(definition.EngineVersion))[0]}"
      class       = definition.DBInstanceClass
      storage     = definition.AllocatedStorage
      storage_max = try(definition.MaxAllocatedStorage, null)
      storage_as  = try(definition.StorageType, "gp3")
      port        = try(definition.Port, 5432)
    } if length(local.unsound) == 0 && contains(var.names, definition.DBInstanceIdentifier)
  }
}
