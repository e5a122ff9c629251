output "srv_names" {
  description = "By service: the name whose SRV records list its tasks."
  value       = { for name, service in aws_service_discovery_service.this : name => "${name}.${var.namespace}" }
}

output "registry_arns" {
  description = "By service: the ARN of the registry in which ECS lists its tasks."
  value       = { for name, service in aws_service_discovery_service.this : name => service.arn }
}
