output "arn" {
  description = "ARN of the cluster."
  value       = aws_ecs_cluster.this.arn
}

output "name" {
  description = "Name of the cluster in metrics."
  value       = aws_ecs_cluster.this.name
}

output "launch_type" {
  description = "The required compatibility of a task definition: FARGATE or EC2."
  value       = local.ec2 ? "EC2" : "FARGATE"
}

output "strategy" {
  description = "The strategy by which a service spreads its tasks: provider, weight and base, in order."
  value       = local.strategies[var.capacity.kind]

  depends_on = [aws_ecs_cluster_capacity_providers.this]
}
