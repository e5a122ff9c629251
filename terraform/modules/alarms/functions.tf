# Functions that fail, are held back, or fall behind their stream.

resource "aws_cloudwatch_metric_alarm" "function_errors" {
  for_each = var.functions

  alarm_name          = "${var.name}-${each.key}-errors"
  alarm_description   = "Invocations of ${each.key} fail. ${local.runbook}/function.md"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]

  namespace   = "AWS/Lambda"
  metric_name = "Errors"
  dimensions  = { FunctionName = each.value.name }
  period      = local.minute
  statistic   = "Sum"
}

resource "aws_cloudwatch_metric_alarm" "function_throttles" {
  for_each = var.functions

  alarm_name          = "${var.name}-${each.key}-throttles"
  alarm_description   = "Lambda holds back invocations of ${each.key}. ${local.runbook}/function.md"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]

  namespace   = "AWS/Lambda"
  metric_name = "Throttles"
  dimensions  = { FunctionName = each.value.name }
  period      = local.minute
  statistic   = "Sum"
}

# Milliseconds. DynamoDB keeps a record for 24 hours.
resource "aws_cloudwatch_metric_alarm" "iterator_age" {
  for_each = { for name, function in var.functions : name => function if function.of_stream }

  alarm_name          = "${var.name}-${each.key}-iterator-age"
  alarm_description   = "${each.key} is more than five minutes behind the stream that feeds it. ${local.runbook}/function.md"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 300000
  evaluation_periods  = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]

  namespace   = "AWS/Lambda"
  metric_name = "IteratorAge"
  dimensions  = { FunctionName = each.value.name }
  period      = local.minute
  statistic   = "Maximum"
}
