output "tables" {
  description = "By name: file, billing_mode, capacities (null when on demand), stream_view (null without a stream), hash_key, range_key, attributes (name to type S, N or B), global_indexes and local_indexes by name."
  value       = local.tables

  precondition {
    condition     = length(local.readable) == length(local.files)
    error_message = "Not a JSON object: ${join(", ", setsubtract(local.files, keys(local.readable)))}. Write the input of CreateTable, as in the other files of ${var.folder}."
  }
  precondition {
    condition     = length(local.missing) == 0
    error_message = "Missing: ${join("; ", local.missing)}. A table file has TableName, KeySchema and AttributeDefinitions."
  }
  precondition {
    condition     = length(local.unknown) == 0
    error_message = "Not mapped to AWS: ${join("; ", local.unknown)}. The mapping knows ${join(", ", local.known_keys)}."
  }
  precondition {
    condition     = length(local.undefined) == 0
    error_message = "A key without a type: ${join("; ", local.undefined)}. Add it to AttributeDefinitions."
  }
  precondition {
    condition     = length(local.unused) == 0
    error_message = "Defined and used by no key: ${join("; ", local.unused)}. DynamoDB refuses it: remove it from AttributeDefinitions."
  }
  precondition {
    condition     = length(local.keyless) == 0
    error_message = "A key without exactly one HASH attribute: ${join("; ", local.keyless)}. Begin each KeySchema with one of KeyType HASH."
  }
  precondition {
    condition     = length(local.unprojected) == 0
    error_message = "An index that projects nothing known: ${join("; ", local.unprojected)}. Write ProjectionType ALL, KEYS_ONLY or INCLUDE."
  }
  precondition {
    condition     = length(local.unprovisioned) == 0
    error_message = "Provisioned without a capacity: ${join("; ", local.unprovisioned)}. Add ProvisionedThroughput, or BillingMode PAY_PER_REQUEST."
  }
  precondition {
    condition     = length(local.viewless) == 0
    error_message = "A stream without a known view, or a view without a stream: ${join(", ", local.viewless)}. Write StreamEnabled true with StreamViewType ${join(", ", local.views)}, or StreamEnabled false alone."
  }
  precondition {
    condition     = length(local.repeated) == 0
    error_message = "Two files describe one table: ${join(", ", local.repeated)}. Keep one of them."
  }
}

output "files" {
  description = "By the table's name: the content of its file, word for word."
  value       = { for name, definitions in { for definition in local.whole : definition.TableName => definition... } : name => definitions[0] }
}
