variables {
  name_prefix = "orders-dev-"
  region      = "eu-west-1"
  account_id  = "123456789012"
  folders     = { queues = "../../../queues", topics = "../../../topics", subscriptions = "../../../subscriptions" }
}

run "the_projects_own_files" {
  command = plan

  assert {
    condition = alltrue([for kind, folder in var.folders : length(output.files[kind]) == length(fileset(folder, "*.json"))])

    error_message = "one resource a file"
  }
}

run "a_whole_system" {
  command = plan

  variables {
    folders = {
      queues        = "tests/fixtures/whole/queues"
      topics        = "tests/fixtures/whole/topics"
      subscriptions = "tests/fixtures/whole/subscriptions"
    }
  }

  assert {
    condition     = output.queues["work"].name == "orders-dev-work" && output.queues["work"].visibility == 60 && output.queues["work"].tags.team == "orders"
    error_message = "a queue with numbers for AWS's texts"
  }
  assert {
    condition     = jsondecode(output.queues["work"].redrive) == { deadLetterTargetArn = "arn:aws:sqs:eu-west-1:123456789012:orders-dev-dead", maxReceiveCount = 3 }
    error_message = "a complete ARN in the redrive policy"
  }
  assert {
    condition     = jsonencode(output.sources) == jsonencode({ dead = ["arn:aws:sqs:eu-west-1:123456789012:orders-dev-work"] })
    error_message = "the dead-letter queue knows the queue of its dead letters"
  }
  assert {
    condition     = jsondecode(output.queues["dead"].redrive_allow).sourceQueueArns == ["arn:aws:sqs:eu-west-1:123456789012:orders-dev-work"]
    error_message = "complete ARNs in the redrive allow policy"
  }
  assert {
    condition     = output.queues["line.fifo"].fifo && output.queues["line.fifo"].deduplicates && endswith(output.queues["line.fifo"].arn, ":orders-dev-line.fifo")
    error_message = "a FIFO queue keeps its suffix"
  }
  assert {
    condition     = output.topics["line.fifo"].fifo && output.topics["events"].signature_version == 2 && output.topics["events"].tags.team == "orders"
    error_message = "topics"
  }
  assert {
    condition     = output.subscriptions["work-events"].raw && !output.subscriptions["line"].raw && jsondecode(output.subscriptions["work-events"].filter).type == ["a"]
    error_message = "raw delivery and a filter"
  }
  assert {
    condition = jsonencode(output.senders) == jsonencode({
      work        = ["arn:aws:sns:eu-west-1:123456789012:orders-dev-events"]
      undelivered = ["arn:aws:sns:eu-west-1:123456789012:orders-dev-events"]
      "line.fifo" = ["arn:aws:sns:eu-west-1:123456789012:orders-dev-line.fifo"]
      dead        = []
    })
    error_message = "a topic may send to the queue of its subscription and to that of its dead letters, and to no other"
  }
}

run "no_files" {
  command = plan

  variables {
    folders = { queues = "nowhere", topics = "nowhere", subscriptions = "nowhere" }
  }

  assert {
    condition     = length(output.queues) + length(output.topics) + length(output.subscriptions) == 0
    error_message = "a system without messages has none"
  }
}

run "not_json" {
  command = plan

  variables {
    folders = { queues = "tests/fixtures/not-json", topics = "nowhere", subscriptions = "nowhere" }
  }

  expect_failures = [output.queues]
}

run "unknown_key" {
  command = plan

  variables {
    folders = { queues = "tests/fixtures/unknown-key", topics = "nowhere", subscriptions = "nowhere" }
  }

  expect_failures = [output.queues]
}

run "unknown_attribute" {
  command = plan

  variables {
    folders = { queues = "tests/fixtures/unknown-attribute", topics = "nowhere", subscriptions = "nowhere" }
  }

  expect_failures = [output.queues]
}

run "no_name" {
  command = plan

  variables {
    folders = { queues = "tests/fixtures/no-name", topics = "nowhere", subscriptions = "nowhere" }
  }

  expect_failures = [output.queues]
}

run "twice" {
  command = plan

  variables {
    folders = { queues = "tests/fixtures/twice", topics = "nowhere", subscriptions = "nowhere" }
  }

  expect_failures = [output.queues]
}

run "undeclared" {
  command = plan

  variables {
    folders = { queues = "tests/fixtures/undeclared", topics = "nowhere", subscriptions = "nowhere" }
  }

  expect_failures = [output.queues]
}

run "foreign" {
  command = plan

  variables {
    folders = { queues = "tests/fixtures/foreign", topics = "nowhere", subscriptions = "nowhere" }
  }

  expect_failures = [output.queues]
}

run "no_policy" {
  command = plan

  variables {
    folders = { queues = "tests/fixtures/no-policy", topics = "nowhere", subscriptions = "nowhere" }
  }

  expect_failures = [output.queues]
}

run "email" {
  command = plan

  variables {
    folders = { queues = "tests/fixtures/whole/queues", topics = "tests/fixtures/whole/topics", subscriptions = "tests/fixtures/email" }
  }

  expect_failures = [output.queues]
}
