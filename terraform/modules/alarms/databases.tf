# Databases that are busy, nearly full, or nearly out of connections.

resource "aws_cloudwatch_metric_alarm" "database_cpu" {
  for_each = var.databases

  alarm_name          = "${var.name}-${each.key}-cpu"
  alarm_description   = "${each.key} uses more than 80 % of its processor time. ${local.runbook}/database.md"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 80
  evaluation_periods  = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]

  namespace   = "AWS/RDS"
  metric_name = "CPUUtilization"
  dimensions  = { DBInstanceIdentifier = each.value.identifier }
  period      = local.minute
  statistic   = "Average"
}

resource "aws_cloudwatch_metric_alarm" "database_storage" {
  for_each = var.databases

  alarm_name          = "${var.name}-${each.key}-storage"
  alarm_description   = "Less than a fifth of the storage of ${each.key} is free. ${local.runbook}/database.md"
  comparison_operator = "LessThanThreshold"
  threshold           = 0.2 * each.value.storage
  evaluation_periods  = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]

  namespace   = "AWS/RDS"
  metric_name = "FreeStorageSpace"
  dimensions  = { DBInstanceIdentifier = each.value.identifier }
  period      = local.minute
  statistic   = "Minimum"
}

resource "aws_cloudwatch_metric_alarm" "database_connections" {
  for_each = var.databases

  alarm_name          = "${var.name}-${each.key}-connections"
  alarm_description   = "More than 80 % of the connections of ${each.key} are in use. ${local.runbook}/database.md"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0.8 * each.value.connections
  evaluation_periods  = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]

  namespace   = "AWS/RDS"
  metric_name = "DatabaseConnections"
  dimensions  = { DBInstanceIdentifier = each.value.identifier }
  period      = local.minute
  statistic   = "Maximum"
}
