output "name" {
  description = "Name of the function in AWS and in metrics."
  value       = aws_lambda_function.this.function_name
}
