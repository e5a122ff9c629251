output "topic_arn" {
  description = "Where alarms and the budget are told."
  value       = aws_sns_topic.this.arn
}
