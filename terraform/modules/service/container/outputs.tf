output "definition" {
  description = "The container definition in ECS's JSON."
  value       = local.definition
}

output "definitions" {
  description = "All container definitions of its task: what prepares the service, if anything does, and the service."
  value       = [for definition in [local.preparation, local.definition] : definition if definition != null]
}

output "architecture" {
  description = "X86_64 or ARM64, from the image's platform."
  value       = local.architectures[var.image.platform]
}
