# Tests of the variables alone: the rest of the module needs the provider.

variables {
  name            = "orders-dev"
  service         = "order-api"
  region          = "eu-west-1"
  account_id      = "123456789012"
  vpc_id          = "vpc-1"
  out             = { cidr = "0.0.0.0/0", prefix_lists = {} }
  repository_arns = ["arn:aws:ecr:eu-west-1:123456789012:repository/r"]
  permissions     = { orders = { arn = "arn", actions = ["dynamodb:GetItem"], indexes = { index = ["dynamodb:Query"] } } }
  log_days        = 30
}

run "good_values" {
  command = plan
}

run "every_action" {
  command = plan

  variables {
    permissions = { orders = { arn = "arn", actions = ["dynamodb:*"], indexes = {} } }
  }

  expect_failures = [var.permissions]
}

run "every_action_on_an_index" {
  command = plan

  variables {
    permissions = { orders = { arn = "arn", actions = [], indexes = { index = ["*"] } } }
  }

  expect_failures = [var.permissions]
}

run "queues_topics_and_a_database" {
  command = plan

  variables {
    messaging      = { "arn:aws:sqs:eu-west-1:123456789012:q" = ["sqs:ReceiveMessage"], "arn:aws:sns:eu-west-1:123456789012:t" = ["sns:Publish"] }
    database_users = ["arn:aws:rds-db:eu-west-1:123456789012:dbuser:db-ABCDEFGHIJKL01234/reporting"]
  }
}

run "every_action_on_a_queue" {
  command = plan

  variables {
    messaging = { "arn:aws:sqs:eu-west-1:123456789012:q" = ["sqs:*"] }
  }

  expect_failures = [var.messaging]
}

run "every_user_of_a_database" {
  command = plan

  variables {
    database_users = ["arn:aws:rds-db:eu-west-1:123456789012:dbuser:db-ABCDEFGHIJKL01234/*"]
  }

  expect_failures = [var.database_users]
}

run "days_that_cloudwatch_does_not_have" {
  command = plan

  variables {
    log_days = 31
  }

  expect_failures = [var.log_days]
}

run "an_agent_of_aws" {
  command = plan

  variables {
    agent_repository_arns = ["arn:aws:ecr:eu-west-1:694911143906:repository/aws-guardduty-agent-fargate"]
  }
}

run "any_repository_of_an_account" {
  command = plan

  variables {
    agent_repository_arns = ["arn:aws:ecr:eu-west-1:694911143906:repository/*"]
  }

  expect_failures = [var.agent_repository_arns]
}
