output "definition" {
  description = "The container definition, as ECS takes it in JSON."
  value       = local.definition
}

output "architecture" {
  description = "X86_64 or ARM64, as the image's platform says."
  value       = local.architectures[var.image.platform]
}
