# Maps queue, topic and subscription files to the arguments of their resources. It needs no provider, so that it is tested without one.

locals {
  kinds = {
    queues        = { known = ["QueueName", "Attributes", "tags"], required = ["QueueName"], name = "QueueName" }
    topics        = { known = ["Name", "Attributes", "Tags"], required = ["Name"], name = "Name" }
    subscriptions = { known = ["TopicArn", "Protocol", "Endpoint", "Attributes"], required = ["TopicArn", "Protocol", "Endpoint"], name = null }
  }

  attributes = {
    queues = [
      "ContentBasedDeduplication", "DeduplicationScope", "DelaySeconds", "FifoQueue", "FifoThroughputLimit", "MaximumMessageSize",
      "MessageRetentionPeriod", "ReceiveMessageWaitTimeSeconds", "RedriveAllowPolicy", "RedrivePolicy", "SqsManagedSseEnabled", "VisibilityTimeout",
    ]
    topics        = ["ContentBasedDeduplication", "DisplayName", "FifoThroughputScope", "FifoTopic", "SignatureVersion", "TracingConfig"]
    subscriptions = ["FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy"]
  }

  # By "KIND/FILE". A file that is no JSON object is null here; a precondition names it.
  files = merge([
    for kind, folder in var.folders : {
      for file in fileset(folder, "*.json") : "${kind}/${file}" => { kind = kind, stem = trimsuffix(file, ".json"), path = "${folder}/${file}" }
    }
  ]...)
  definitions = { for file, place in local.files : file => try(jsondecode(file(place.path)), null) }
  unreadable  = [for file, definition in local.definitions : file if !can(keys(definition))]

  missing = flatten([
    for file, place in local.files : [
      for key in local.kinds[place.kind].required : "${file}: ${key}" if !can(tostring(local.definitions[file][key])) || try(local.definitions[file][key], "") == ""
    ] if !contains(local.unreadable, file)
  ])
  unknown = flatten([
    for file, place in local.files : concat(
      [for key in setsubtract(keys(local.definitions[file]), local.kinds[place.kind].known) : "${file}: ${key}"],
      [for key in setsubtract(keys(try(local.definitions[file].Attributes, {})), local.attributes[place.kind]) : "${file}: ${key}"],
    ) if !contains(local.unreadable, file)
  ])

  whole = { for file, place in local.files : file => merge(place, { definition = local.definitions[file] }) if length(concat(local.unreadable, local.missing)) == 0 }

  # By kind: the names in the files, those of subscriptions by their file's.
  names    = { for kind, rule in local.kinds : kind => [for file in local.whole : rule.name == null ? file.stem : file.definition[rule.name] if file.kind == kind] }
  repeated = flatten([for kind, names in local.names : [for name in distinct(names) : "${kind}: ${name}" if length([for other in names : other if other == name]) > 1]])

  # The JSON within the files' texts; null where there is none or it is no JSON.
  redrives = { for file, whole in local.whole : file => try(jsondecode(whole.definition.Attributes.RedrivePolicy), null) }
  allows   = { for file, whole in local.whole : file => try(jsondecode(whole.definition.Attributes.RedriveAllowPolicy), null) }

  # Every ARN of the files, by the service that its place demands. The region and the account in it are empty.
  arns = flatten([
    for file, whole in local.whole : concat(
      whole.kind == "subscriptions" ? [
        { file = file, service = "sns", arn = whole.definition.TopicArn },
        { file = file, service = "sqs", arn = whole.definition.Endpoint },
      ] : [],
      can(whole.definition.Attributes.RedrivePolicy) ? [{ file = file, service = "sqs", arn = try(local.redrives[file].deadLetterTargetArn, "") }] : [],
      [for arn in try(local.allows[file].sourceQueueArns, []) : { file = file, service = "sqs", arn = arn }],
    )
  ])
  undeclared = [
    for place in local.arns : "${place.file}: ${place.arn}"
    if !contains([for name in local.names[place.service == "sqs" ? "queues" : "topics"] : "arn:aws:${place.service}:::${name}"], place.arn)
  ]
  protocols = [for file, whole in local.whole : "${file}: ${whole.definition.Protocol}" if whole.kind == "subscriptions" && try(whole.definition.Protocol != "sqs", false)]

  unsound = concat(local.unreadable, local.missing, local.unknown, local.repeated, local.undeclared, local.protocols)
  sound   = { for file, whole in local.whole : file => whole if length(local.unsound) == 0 }

  # The ARN of a declared queue or topic, with region, account and prefix.
  completed = {
    for arn in concat([for name in local.names.queues : "arn:aws:sqs:::${name}"], [for name in local.names.topics : "arn:aws:sns:::${name}"]) :
    arn => "arn:aws:${split(":", arn)[2]}:${var.region}:${var.account_id}:${var.name_prefix}${split(":", arn)[5]}"...
  }

  queues = {
    for file, whole in local.sound : whole.definition.QueueName => {
      name                = "${var.name_prefix}${whole.definition.QueueName}"
      arn                 = local.completed["arn:aws:sqs:::${whole.definition.QueueName}"][0]
      delay               = try(tonumber(whole.definition.Attributes.DelaySeconds), null)
      max_size            = try(tonumber(whole.definition.Attributes.MaximumMessageSize), null)
      retention           = try(tonumber(whole.definition.Attributes.MessageRetentionPeriod), null)
      receive_wait        = try(tonumber(whole.definition.Attributes.ReceiveMessageWaitTimeSeconds), null)
      visibility          = try(tonumber(whole.definition.Attributes.VisibilityTimeout), null)
      fifo                = try(tobool(whole.definition.Attributes.FifoQueue), false)
      deduplicates        = try(tobool(whole.definition.Attributes.ContentBasedDeduplication), null)
      deduplication_scope = try(whole.definition.Attributes.DeduplicationScope, null)
      throughput_limit    = try(whole.definition.Attributes.FifoThroughputLimit, null)
      dead_letter         = local.redrives[file] == null ? null : split(":", local.redrives[file].deadLetterTargetArn)[5]
      redrive = local.redrives[file] == null ? null : jsonencode(merge(local.redrives[file], {
        deadLetterTargetArn = local.completed[local.redrives[file].deadLetterTargetArn][0]
        maxReceiveCount     = tonumber(local.redrives[file].maxReceiveCount)
      }))
      redrive_allow = local.allows[file] == null ? null : jsonencode(merge(
        local.allows[file],
        { for key, arns in local.allows[file] : key => [for arn in arns : local.completed[arn][0]] if key == "sourceQueueArns" },
      ))
      tags = try(whole.definition.tags, {})
    } if whole.kind == "queues"
  }

  topics = {
    for file, whole in local.sound : whole.definition.Name => {
      name              = "${var.name_prefix}${whole.definition.Name}"
      arn               = local.completed["arn:aws:sns:::${whole.definition.Name}"][0]
      display_name      = try(whole.definition.Attributes.DisplayName, null)
      fifo              = try(tobool(whole.definition.Attributes.FifoTopic), false)
      deduplicates      = try(tobool(whole.definition.Attributes.ContentBasedDeduplication), null)
      throughput_scope  = try(whole.definition.Attributes.FifoThroughputScope, null)
      signature_version = try(tonumber(whole.definition.Attributes.SignatureVersion), null)
      tracing           = try(whole.definition.Attributes.TracingConfig, null)
      tags              = { for tag in try(whole.definition.Tags, []) : tag.Key => tag.Value }
    } if whole.kind == "topics"
  }

  subscriptions = {
    for file, whole in local.sound : whole.stem => {
      topic        = split(":", whole.definition.TopicArn)[5]
      queue        = split(":", whole.definition.Endpoint)[5]
      raw          = try(tobool(whole.definition.Attributes.RawMessageDelivery), false)
      filter       = try(whole.definition.Attributes.FilterPolicy, null)
      filter_scope = try(whole.definition.Attributes.FilterPolicyScope, null)
      dead_letter  = local.redrives[file] == null ? null : split(":", local.redrives[file].deadLetterTargetArn)[5]
      redrive      = local.redrives[file] == null ? null : jsonencode({ deadLetterTargetArn = local.completed[local.redrives[file].deadLetterTargetArn][0] })
    } if whole.kind == "subscriptions"
  }

  # By queue: the topics that may send to it, since a subscription leads there, or its dead letters do.
  senders = {
    for queue in keys(local.queues) : queue => distinct([
      for subscription in local.subscriptions : local.topics[subscription.topic].arn if contains([subscription.queue, subscription.dead_letter], queue)
    ])
  }

  # By dead-letter queue: the queues whose dead letters it takes, at most ten by SQS's limit.
  sources = { for queue in local.queues : queue.dead_letter => queue.arn... if queue.dead_letter != null }
}
