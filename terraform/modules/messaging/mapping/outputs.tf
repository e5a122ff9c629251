output "queues" {
  description = "By the name in its file: name, arn, times in seconds, fifo, deduplication, dead_letter (a name in a file), redrive and redrive_allow (JSON), tags."
  value       = local.queues

  precondition {
    condition     = length(local.unreadable) == 0
    error_message = "Not a JSON object: ${join(", ", local.unreadable)}. Write the input of CreateQueue, CreateTopic or Subscribe, as in the other files."
  }
  precondition {
    condition     = length(local.missing) == 0
    error_message = "Missing: ${join("; ", local.missing)}. A queue file has QueueName, a topic file Name, a subscription file TopicArn, Protocol and Endpoint."
  }
  precondition {
    condition     = length(local.unknown) == 0
    error_message = "Not mapped to AWS: ${join("; ", local.unknown)}. The mapping knows ${join(", ", distinct(concat(flatten([for kind in local.kinds : kind.known]), flatten(values(local.attributes)))))}."
  }
  precondition {
    condition     = length(local.repeated) == 0
    error_message = "Two files describe one resource: ${join("; ", local.repeated)}. Keep one of them."
  }
  precondition {
    condition     = length(local.undeclared) == 0
    error_message = "No file declares it: ${join("; ", local.undeclared)}. Write arn:aws:sqs:::QUEUE or arn:aws:sns:::TOPIC, with region and account empty, and the name in a file of the queues or topics."
  }
  precondition {
    condition     = length(local.protocols) == 0
    error_message = "Not a queue: ${join("; ", local.protocols)}. Only queues are subscribed: write the protocol sqs."
  }
}

output "topics" {
  description = "By the name in its file: name, arn, display_name, fifo, deduplication, signature_version, tracing, tags."
  value       = local.topics
}

output "subscriptions" {
  description = "By its file's name: topic and queue (names in files), raw, filter (JSON) and its scope, dead_letter (a name in a file), redrive (JSON)."
  value       = local.subscriptions
}

output "senders" {
  description = "By queue: the ARNs of the topics that may send to it."
  value       = local.senders
}

output "sources" {
  description = "By dead-letter queue: the ARNs of the queues whose dead letters it takes."
  value       = local.sources
}

output "files" {
  description = "By kind (queues, topics, subscriptions), by name: the content of the file, word for word."
  value = {
    for kind, rule in local.kinds : kind => {
      for file in local.sound : (rule.name == null ? file.stem : file.definition[rule.name]) => file.definition if file.kind == kind
    }
  }
}
