# Tests of the variables alone: the rest of the module needs the provider.

variables {
  folders     = { queues = "q", topics = "t", subscriptions = "s" }
  name_prefix = "orders-dev-"
  region      = "eu-west-1"
  account_id  = "123456789012"
}

run "good_values" {
  command = plan
}

run "a_dot_in_the_prefix" {
  command = plan

  variables {
    name_prefix = "orders.dev-"
  }

  expect_failures = [var.name_prefix]
}
