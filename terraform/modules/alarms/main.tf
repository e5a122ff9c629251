# The alarms. Each names its runbook.

locals {
  minute = 60

  runbook = "https://github.com/${var.repository}/blob/main/docs/runbooks"

  balancer = { LoadBalancer = var.load_balancer_suffix }
  targets  = { LoadBalancer = var.load_balancer_suffix, TargetGroup = var.target_group_suffix }
}

resource "aws_sns_topic" "this" {
  #checkov:skip=CKV_AWS_26:CloudWatch cannot write to a topic under AWS's own key, and the text of an alarm is no secret
  name = "${var.name}-alarms"
}

data "aws_iam_policy_document" "topic" {
  statement {
    sid       = "AlarmsAndBudgetsOfThisAccount"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.this.arn]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.account_id]
    }
  }
}

resource "aws_sns_topic_policy" "this" {
  arn    = aws_sns_topic.this.arn
  policy = data.aws_iam_policy_document.topic.json
}

resource "aws_sns_topic_subscription" "email" {
  for_each = var.emails

  topic_arn = aws_sns_topic.this.arn
  protocol  = "email"
  endpoint  = each.key
}

# 5xx answers of the service and of the load balancer itself.
resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "${var.name}-errors"
  alarm_description   = "More than 1 % of the requests end in 5xx. ${local.runbook}/errors.md"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 1
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]

  metric_query {
    id          = "rate"
    label       = "5xx, percent"
    expression  = "IF(requests > 20, 100 * (FILL(service, 0) + FILL(balancer, 0)) / requests, 0)"
    return_data = true
  }

  metric_query {
    id = "requests"
    metric {
      namespace   = "AWS/ApplicationELB"
      metric_name = "RequestCount"
      dimensions  = local.balancer
      period      = local.minute
      stat        = "Sum"
    }
  }

  metric_query {
    id = "service"
    metric {
      namespace   = "AWS/ApplicationELB"
      metric_name = "HTTPCode_Target_5XX_Count"
      dimensions  = local.balancer
      period      = local.minute
      stat        = "Sum"
    }
  }

  metric_query {
    id = "balancer"
    metric {
      namespace   = "AWS/ApplicationELB"
      metric_name = "HTTPCode_ELB_5XX_Count"
      dimensions  = local.balancer
      period      = local.minute
      stat        = "Sum"
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "latency" {
  alarm_name          = "${var.name}-latency"
  alarm_description   = "One request in a hundred takes more than a second. ${local.runbook}/latency.md"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 1
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]

  namespace          = "AWS/ApplicationELB"
  metric_name        = "TargetResponseTime"
  dimensions         = local.balancer
  period             = local.minute
  extended_statistic = "p99"
}

resource "aws_cloudwatch_metric_alarm" "unhealthy" {
  alarm_name          = "${var.name}-unhealthy"
  alarm_description   = "A task behind the load balancer does not pass its health check. ${local.runbook}/unhealthy.md"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  evaluation_periods  = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]

  namespace   = "AWS/ApplicationELB"
  metric_name = "UnHealthyHostCount"
  dimensions  = local.targets
  period      = local.minute
  statistic   = "Maximum"
}

# Every task reports its processor time once a minute, so the number of reports is the number of tasks; with paid Container
# Insights, AWS reports both numbers itself.
resource "aws_cloudwatch_metric_alarm" "tasks" {
  for_each = var.services

  alarm_name          = "${var.name}-${each.key}-tasks"
  alarm_description   = "Fewer tasks of ${each.key} run than should. ${local.runbook}/tasks.md"
  comparison_operator = "LessThanThreshold"
  threshold           = var.container_insights ? 0 : each.value.min
  evaluation_periods  = 10
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]

  dynamic "metric_query" {
    for_each = var.container_insights ? [] : [1]
    content {
      id          = "running"
      label       = "running"
      return_data = true
      metric {
        namespace   = "AWS/ECS"
        metric_name = "CPUUtilization"
        dimensions  = { ClusterName = var.cluster_name, ServiceName = each.key }
        period      = local.minute
        stat        = "SampleCount"
      }
    }
  }

  dynamic "metric_query" {
    for_each = var.container_insights ? [1] : []
    content {
      id          = "missing"
      label       = "running - desired"
      expression  = "running - desired"
      return_data = true
    }
  }

  dynamic "metric_query" {
    for_each = var.container_insights ? { running = "RunningTaskCount", desired = "DesiredTaskCount" } : {}
    content {
      id = metric_query.key
      metric {
        namespace   = "ECS/ContainerInsights"
        metric_name = metric_query.value
        dimensions  = { ClusterName = var.cluster_name, ServiceName = each.key }
        period      = local.minute
        stat        = "Average"
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "throttled" {
  for_each = var.table_names

  alarm_name          = "${var.name}-${each.key}-throttled"
  alarm_description   = "DynamoDB refuses requests to ${each.key}. ${local.runbook}/throttled.md"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  evaluation_periods  = 5
  datapoints_to_alarm = 2
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]

  metric_query {
    id          = "throttled"
    label       = "throttled requests"
    expression  = "FILL(reads, 0) + FILL(writes, 0)"
    return_data = true
  }

  metric_query {
    id = "reads"
    metric {
      namespace   = "AWS/DynamoDB"
      metric_name = "ReadThrottleEvents"
      dimensions  = { TableName = each.value }
      period      = local.minute
      stat        = "Sum"
    }
  }

  metric_query {
    id = "writes"
    metric {
      namespace   = "AWS/DynamoDB"
      metric_name = "WriteThrottleEvents"
      dimensions  = { TableName = each.value }
      period      = local.minute
      stat        = "Sum"
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "cpu" {
  for_each = var.services

  alarm_name          = "${var.name}-${each.key}-cpu"
  alarm_description   = "${each.key} uses more than 85 % of its processor time, and scaling does not catch up. ${local.runbook}/cpu.md"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 85
  evaluation_periods  = 15
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]

  namespace   = "AWS/ECS"
  metric_name = "CPUUtilization"
  dimensions  = { ClusterName = var.cluster_name, ServiceName = each.key }
  period      = local.minute
  statistic   = "Average"
}

resource "aws_cloudwatch_metric_alarm" "memory" {
  for_each = var.services

  alarm_name          = "${var.name}-${each.key}-memory"
  alarm_description   = "${each.key} uses more than 85 % of its memory. ${local.runbook}/memory.md"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 85
  evaluation_periods  = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]

  namespace   = "AWS/ECS"
  metric_name = "MemoryUtilization"
  dimensions  = { ClusterName = var.cluster_name, ServiceName = each.key }
  period      = local.minute
  statistic   = "Maximum"
}

# The costs of the account, since an environment has an account of its own. The runbook is docs/runbooks/budget.md; a
# budget has no description to name it in.
resource "aws_budgets_budget" "this" {
  name         = var.name
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(var.monthly_budget)
  limit_unit   = "USD"

  notification {
    comparison_operator       = "GREATER_THAN"
    threshold                 = 80
    threshold_type            = "PERCENTAGE"
    notification_type         = "ACTUAL"
    subscriber_sns_topic_arns = [aws_sns_topic.this.arn]
  }

  notification {
    comparison_operator       = "GREATER_THAN"
    threshold                 = 100
    threshold_type            = "PERCENTAGE"
    notification_type         = "FORECASTED"
    subscriber_sns_topic_arns = [aws_sns_topic.this.arn]
  }

  depends_on = [aws_sns_topic_policy.this]
}
