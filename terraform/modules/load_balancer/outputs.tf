output "url" {
  description = "URL of the system, without a slash at its end."
  value       = local.https ? "https://${var.domain.name}" : "http://${aws_lb.this.dns_name}"
}

output "security_group_id" {
  description = "The security group of its requests."
  value       = aws_security_group.this.id
}

# A service can only be attached to a group that a listener forwards to.
output "target_group" {
  description = "The target group of the tasks: arn, and arn_suffix, its name in metrics."
  value       = { arn = aws_lb_target_group.this.arn, arn_suffix = aws_lb_target_group.this.arn_suffix }

  depends_on = [aws_lb_listener.http, aws_lb_listener.https]
}

output "arn_suffix" {
  description = "The load balancer's name in metrics."
  value       = aws_lb.this.arn_suffix
}
