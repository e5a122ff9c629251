output "names" {
  description = "By the name in the table file: the table's name in AWS."
  value       = { for name, table in aws_dynamodb_table.this : name => table.name }
}

output "arns" {
  description = "By the name in the table file: the table's ARN, for task roles."
  value       = { for name, table in aws_dynamodb_table.this : name => table.arn }
}

output "stream_arns" {
  description = "By the name in the table file, for tables with a stream: the stream's ARN, for event source mappings and their roles."
  value       = { for name, table in aws_dynamodb_table.this : name => table.stream_arn if module.mapping.tables[name].stream_view != null }
}

output "index_arns" {
  description = "By the name in the table file, by index: the index's ARN, for task roles."
  value = {
    for name, table in aws_dynamodb_table.this : name => {
      for index in concat(keys(module.mapping.files[name].global_indexes), keys(module.mapping.tables[name].local_indexes)) :
      index => "${table.arn}/index/${index}"
    }
  }
}

output "definitions" {
  description = "By the name in the table file: the content of the file."
  value       = { for name, table in aws_dynamodb_table.this : name => module.mapping.tables[name] }
}
