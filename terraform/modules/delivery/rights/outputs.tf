output "policy" {
  description = "The policy in IAM's JSON."
  value       = jsonencode({ Version = "2012-10-17", Statement = local.statements })
}
