output "role_arn" {
  description = "The role that a workflow of the environment assumes."
  value       = aws_iam_role.promote.arn
}
