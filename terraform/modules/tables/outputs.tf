output "names" {
  description = "By the name in the table file: the table's name in AWS."
  value       = { for name, table in aws_dynamodb_table.this : name => table.name }
}

output "arns" {
  description = "By the name in the table file: the table's ARN, for task roles."
  value       = { for name, table in aws_dynamodb_table.this : name => table.arn }
}
