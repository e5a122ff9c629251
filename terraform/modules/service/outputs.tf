output "name" {
  description = "Name of the service in its cluster."
  value       = aws_ecs_service.this.name
}

output "task_definition_arn" {
  description = "The task definition of this release, with its revision."
  value       = aws_ecs_task_definition.this.arn
}
