# One page: the callers' results, the services' resource usage, the messages that wait, the tables' refusals.

locals {
  widgets = [
    {
      title = "Requests and errors"
      metrics = [
        ["AWS/ApplicationELB", "RequestCount", "LoadBalancer", var.load_balancer_suffix, { stat = "Sum" }],
        ["AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", "LoadBalancer", var.load_balancer_suffix, { stat = "Sum" }],
        ["AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", "LoadBalancer", var.load_balancer_suffix, { stat = "Sum" }],
      ]
    },
    {
      title = "Latency, seconds"
      metrics = [for stat in ["p50", "p95", "p99"] :
        ["AWS/ApplicationELB", "TargetResponseTime", "LoadBalancer", var.load_balancer_suffix, { stat = stat, label = stat }]
      ]
    },
    {
      title = "Tasks behind the load balancer"
      metrics = [for metric in ["HealthyHostCount", "UnHealthyHostCount"] :
        ["AWS/ApplicationELB", metric, "TargetGroup", var.target_group_suffix, "LoadBalancer", var.load_balancer_suffix, { stat = "Maximum" }]
      ]
    },
    {
      title = "Processor time, percent"
      metrics = [for service in keys(var.services) :
        ["AWS/ECS", "CPUUtilization", "ClusterName", var.cluster_name, "ServiceName", service, { stat = "Average", label = service }]
      ]
    },
    {
      title = "Memory, percent"
      metrics = [for service in keys(var.services) :
        ["AWS/ECS", "MemoryUtilization", "ClusterName", var.cluster_name, "ServiceName", service, { stat = "Maximum", label = service }]
      ]
    },
    {
      title = "Messages in queues"
      metrics = [for name in values(merge(var.queues, var.dead_letters)) :
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", name, { stat = "Maximum", label = name }]
      ]
    },
    {
      title = "Age of the oldest message, seconds"
      metrics = [for name in values(var.queues) :
        ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", name, { stat = "Maximum", label = name }]
      ]
    },
    {
      title = "Functions: invocations, errors, throttles"
      metrics = [for pair in setproduct([for function in values(var.functions) : function.name], ["Invocations", "Errors", "Throttles"]) :
        ["AWS/Lambda", pair[1], "FunctionName", pair[0], { stat = "Sum", label = join(" ", pair) }]
      ]
    },
    {
      title = "Databases: processor time, percent"
      metrics = [for database in values(var.databases) :
        ["AWS/RDS", "CPUUtilization", "DBInstanceIdentifier", database.identifier, { stat = "Average", label = database.identifier }]
      ]
    },
    {
      title = "Throttled requests"
      metrics = [for pair in setproduct(values(var.table_names), ["ReadThrottleEvents", "WriteThrottleEvents"]) :
        ["AWS/DynamoDB", pair[1], "TableName", pair[0], { stat = "Sum", label = join(" ", pair) }]
      ]
    },
  ]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name
  dashboard_body = jsonencode({
    # A part that an environment does not have has no widget.
    widgets = [for index, widget in [for widget in local.widgets : widget if length(widget.metrics) > 0] : {
      type   = "metric"
      x      = 12 * (index % 2)
      y      = 6 * floor(index / 2)
      width  = 12
      height = 6
      properties = {
        title   = widget.title
        region  = var.region
        view    = "timeSeries"
        period  = local.minute
        metrics = widget.metrics
      }
    }]
  })
}
