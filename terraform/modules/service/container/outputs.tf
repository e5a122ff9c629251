output "definition" {
  description = "The container definition in ECS's JSON."
  value       = local.definition
}

output "architecture" {
  description = "X86_64 or ARM64, from the image's platform."
  value       = local.architectures[var.image.platform]
}
