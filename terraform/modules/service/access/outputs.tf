output "task_role_arn" {
  description = "The role of the program."
  value       = aws_iam_role.task.arn

  depends_on = [aws_iam_role_policy.rights]
}

output "execution_role_arn" {
  description = "The role with which ECS fetches the image and writes the log."
  value       = aws_iam_role.execution.arn

  depends_on = [aws_iam_role_policy.execution]
}

output "log_group" {
  description = "Name of its log group."
  value       = aws_cloudwatch_log_group.this.name
}

output "log_group_arn" {
  description = "ARN of its log group, for the role that reads the logs of ended tasks."
  value       = aws_cloudwatch_log_group.this.arn
}

output "security_group_id" {
  description = "The security group of its tasks."
  value       = aws_security_group.this.id
}
