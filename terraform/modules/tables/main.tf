# The tables of the local environment, from the same files.

module "mapping" {
  source = "./mapping"

  folder = var.folder
}

locals {
  # The product that smoke tests order, in every environment; no customer does.
  canary = {
    product_id = { S = "CANARY" }
    name       = { S = "Canary" }
    price      = { N = "1" }
    stock      = { N = "1000000000" }
  }

  seeds = var.seeds == null ? [] : flatten([
    for file in fileset(var.seeds, "*.json") : [
      for item in jsondecode(file("${var.seeds}/${file}")) : { table = trimsuffix(file, ".json"), item = item }
    ]
  ])

  items = {
    for entry in concat([{ table = "inventory", item = local.canary }], local.seeds) :
    join("/", compact([
      entry.table,
      entry.item[module.mapping.tables[entry.table].hash_key][module.mapping.tables[entry.table].attributes[module.mapping.tables[entry.table].hash_key]],
      try(entry.item[module.mapping.tables[entry.table].range_key][module.mapping.tables[entry.table].attributes[module.mapping.tables[entry.table].range_key]], ""),
    ])) => entry
  }
}

resource "aws_dynamodb_table" "this" {
  #checkov:skip=CKV_AWS_119:AWS's own key: nobody outside the account reads the tables, and a key of ours can be lost
  #checkov:skip=CKV2_AWS_16:tables are on demand unless their file sets a capacity
  for_each = module.mapping.tables

  name           = "${var.name_prefix}${each.key}"
  billing_mode   = each.value.billing_mode
  read_capacity  = each.value.read_capacity
  write_capacity = each.value.write_capacity
  hash_key       = each.value.hash_key
  range_key      = each.value.range_key

  stream_enabled   = each.value.stream_view != null
  stream_view_type = each.value.stream_view

  deletion_protection_enabled = var.deletion_protection

  dynamic "attribute" {
    for_each = each.value.attributes
    content {
      name = attribute.key
      type = attribute.value
    }
  }

  dynamic "global_secondary_index" {
    for_each = each.value.global_indexes
    content {
      name               = global_secondary_index.key
      hash_key           = global_secondary_index.value.hash_key
      range_key          = global_secondary_index.value.range_key
      projection_type    = global_secondary_index.value.projection_type
      non_key_attributes = global_secondary_index.value.non_key_attributes
      read_capacity      = global_secondary_index.value.read_capacity
      write_capacity     = global_secondary_index.value.write_capacity
    }
  }

  dynamic "local_secondary_index" {
    for_each = each.value.local_indexes
    content {
      name               = local_secondary_index.key
      range_key          = local_secondary_index.value.range_key
      projection_type    = local_secondary_index.value.projection_type
      non_key_attributes = local_secondary_index.value.non_key_attributes
    }
  }

  point_in_time_recovery {
    enabled                 = true
    recovery_period_in_days = var.point_in_time_recovery_days
  }

  # Encrypted with AWS's own key for DynamoDB, as every table is.
  server_side_encryption {
    enabled = false
  }
}

# Inserted once. Stock changes from then on, and is not Terraform's.
resource "aws_dynamodb_table_item" "this" {
  for_each = local.items

  table_name = aws_dynamodb_table.this[each.value.table].name
  hash_key   = aws_dynamodb_table.this[each.value.table].hash_key
  range_key  = aws_dynamodb_table.this[each.value.table].range_key
  item       = jsonencode(each.value.item)

  lifecycle {
    ignore_changes = [item]
  }
}
