output "policy" {
  description = "The policy, as IAM takes it in JSON."
  value       = jsonencode({ Version = "2012-10-17", Statement = local.statements })
}
