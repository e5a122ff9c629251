# Messages that wait too long, and messages that nobody could handle.

resource "aws_cloudwatch_metric_alarm" "queue_age" {
  for_each = var.queues

  alarm_name          = "${var.name}-${each.key}-age"
  alarm_description   = "The oldest message of ${each.key} has waited for more than five minutes. ${local.runbook}/queue.md"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 300
  evaluation_periods  = 10
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]

  namespace   = "AWS/SQS"
  metric_name = "ApproximateAgeOfOldestMessage"
  dimensions  = { QueueName = each.value }
  period      = local.minute
  statistic   = "Maximum"
}

resource "aws_cloudwatch_metric_alarm" "queue_depth" {
  for_each = var.queues

  alarm_name          = "${var.name}-${each.key}-depth"
  alarm_description   = "More than 100 messages wait in ${each.key}. ${local.runbook}/queue.md"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 100
  evaluation_periods  = 10
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]

  namespace   = "AWS/SQS"
  metric_name = "ApproximateNumberOfMessagesVisible"
  dimensions  = { QueueName = each.value }
  period      = local.minute
  statistic   = "Maximum"
}

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  for_each = var.dead_letters

  alarm_name          = "${var.name}-${each.key}-not-empty"
  alarm_description   = "Messages that nobody could handle are in ${each.key}. ${local.runbook}/deadletters.md"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]

  namespace   = "AWS/SQS"
  metric_name = "ApproximateNumberOfMessagesVisible"
  dimensions  = { QueueName = each.value }
  period      = local.minute
  statistic   = "Maximum"
}
