# The queues, topics and subscriptions of the local environment, from the same files.

module "mapping" {
  source = "./mapping"

  folders     = var.folders
  name_prefix = var.name_prefix
  region      = var.region
  account_id  = var.account_id
}

resource "aws_sqs_queue" "this" {
  for_each = module.mapping.queues

  name                        = each.value.name
  delay_seconds               = each.value.delay
  max_message_size            = each.value.max_size
  message_retention_seconds   = each.value.retention
  receive_wait_time_seconds   = each.value.receive_wait
  visibility_timeout_seconds  = each.value.visibility
  fifo_queue                  = each.value.fifo
  content_based_deduplication = each.value.deduplicates
  deduplication_scope         = each.value.deduplication_scope
  fifo_throughput_limit       = each.value.throughput_limit

  # SQS's own key, free of charge, with which topics may send without a right to a key.
  sqs_managed_sse_enabled = true

  tags = each.value.tags
}

# A resource of its own: within one for_each, a queue cannot refer to the queue of its dead letters.
resource "aws_sqs_queue_redrive_policy" "this" {
  for_each = { for name, queue in module.mapping.queues : name => queue if queue.dead_letter != null }

  queue_url      = aws_sqs_queue.this[each.key].url
  redrive_policy = each.value.redrive

  # SQS refuses a queue of dead letters that is absent.
  depends_on = [aws_sqs_queue.this]
}

# Only the queues that name it put their dead letters into a queue, unless its file names others.
resource "aws_sqs_queue_redrive_allow_policy" "this" {
  for_each = module.mapping.sources

  queue_url = aws_sqs_queue.this[each.key].url
  redrive_allow_policy = coalesce(module.mapping.queues[each.key].redrive_allow, jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = each.value
  }))
}

data "aws_iam_policy_document" "senders" {
  for_each = { for queue, topics in module.mapping.senders : queue => topics if length(topics) > 0 }

  statement {
    sid       = "SubscribedTopics"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.this[each.key].arn]

    principals {
      type        = "Service"
      identifiers = ["sns.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = each.value
    }
  }
}

resource "aws_sqs_queue_policy" "senders" {
  for_each = data.aws_iam_policy_document.senders

  queue_url = aws_sqs_queue.this[each.key].url
  policy    = each.value.json
}

resource "aws_sns_topic" "this" {
  for_each = module.mapping.topics

  name                        = each.value.name
  display_name                = each.value.display_name
  fifo_topic                  = each.value.fifo
  content_based_deduplication = each.value.deduplicates
  fifo_throughput_scope       = each.value.throughput_scope
  signature_version           = each.value.signature_version
  tracing_config              = each.value.tracing

  # AWS's own key for SNS: its policy lets every publisher of this account use it through SNS.
  kms_master_key_id = "alias/aws/sns"

  tags = each.value.tags
}

resource "aws_sns_topic_subscription" "this" {
  for_each = module.mapping.subscriptions

  topic_arn            = aws_sns_topic.this[each.value.topic].arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.this[each.value.queue].arn
  raw_message_delivery = each.value.raw
  filter_policy        = each.value.filter
  filter_policy_scope  = each.value.filter_scope
  redrive_policy       = each.value.redrive

  # A message to a queue that does not admit the topic yet is lost.
  depends_on = [aws_sqs_queue_policy.senders]
}
