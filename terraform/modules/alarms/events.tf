# Events of settled orders that do not reach their topic. The metrics come from a line of order-api's log, which it writes only while events wait.

resource "aws_cloudwatch_metric_alarm" "unpublished" {
  for_each = { UnpublishedEvents = 1000, OldestUnpublishedSeconds = 60 }

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "Events of settled orders do not reach the topic. ${local.runbook}/unpublished.md"
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]

  namespace   = var.name
  metric_name = each.key
  period      = local.minute
  statistic   = "Maximum"
}
