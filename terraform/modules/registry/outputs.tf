output "repository_urls" {
  description = "By service: the repository of its image, without tag or digest."
  value       = { for service, repository in aws_ecr_repository.this : service => repository.repository_url }
}

output "repository_arns" {
  description = "By service: its repository's ARN, for the roles that push and pull."
  value       = { for service, repository in aws_ecr_repository.this : service => repository.arn }
}
