# Tests of the variables alone: the rest of the module needs the provider.

variables {
  name           = "orders-dev"
  function       = "low-stock"
  region         = "eu-west-1"
  account_id     = "123456789012"
  messaging      = { "arn:aws:sns:eu-west-1:123456789012:t" = ["sns:Publish"] }
  sources        = { queues = [], streams = ["arn:aws:dynamodb:eu-west-1:123456789012:table/t/stream/2026"] }
  database_users = []
  network        = null
  log_days       = 14
}

run "good_values" {
  command = plan
}

run "every_action_on_a_topic" {
  command = plan

  variables {
    messaging = { "arn:aws:sns:eu-west-1:123456789012:t" = ["sns:*"] }
  }

  expect_failures = [var.messaging]
}
