output "topic_arn" {
  description = "The topic of the alarms and the budget."
  value       = aws_sns_topic.this.arn
}
