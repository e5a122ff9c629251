# order-api writes a line while events of settled orders wait for the topic. CloudWatch does not read its metrics, but it reads that line.

resource "aws_cloudwatch_log_metric_filter" "unpublished" {
  for_each = { UnpublishedEvents = "unpublished", OldestUnpublishedSeconds = "oldest_seconds" }

  name           = each.key
  log_group_name = module.access[local.public].log_group
  pattern        = "{ $.unpublished = * && $.oldest_seconds = * }"

  metric_transformation {
    namespace = local.name
    name      = each.key
    value     = "$.${each.value}"
  }
}
