output "role_arn" {
  description = "The role of the function."
  value       = aws_iam_role.this.arn

  depends_on = [aws_iam_role_policy.this]
}

output "log_group" {
  description = "Name of its log group."
  value       = aws_cloudwatch_log_group.this.name
}

output "security_group_id" {
  description = "Its security group; null for a function outside of the private network."
  value       = one(aws_security_group.this[*].id)
}
