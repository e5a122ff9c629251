output "queues" {
  description = "By the name in its file: the queue's name, url, arn and dead_letter (the name in the file of its dead-letter queue, or null)."
  value = {
    for name, queue in aws_sqs_queue.this : name => {
      name        = queue.name
      url         = queue.url
      arn         = module.mapping.queues[name].arn
      dead_letter = module.mapping.queues[name].dead_letter
    }
  }

  depends_on = [aws_sqs_queue_redrive_policy.this, aws_sqs_queue_redrive_allow_policy.this]
}

output "topic_arns" {
  description = "By the name in its file: the topic's ARN."
  value       = { for name, topic in module.mapping.topics : name => topic.arn }

  # The first event of a release must find its subscribers.
  depends_on = [aws_sns_topic.this, aws_sns_topic_subscription.this]
}

output "definitions" {
  description = "By kind (queues, topics, subscriptions), by name: the content of the file."
  value       = module.mapping.files

  depends_on = [
    aws_sqs_queue.this, aws_sqs_queue_redrive_policy.this, aws_sqs_queue_redrive_allow_policy.this,
    aws_sns_topic.this, aws_sns_topic_subscription.this,
  ]
}
