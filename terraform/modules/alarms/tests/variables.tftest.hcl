# Tests of the variables alone: the rest of the module needs the provider.

variables {
  name                 = "orders-dev"
  region               = "eu-west-1"
  account_id           = "123456789012"
  repository           = "example/orders"
  cluster_name         = "c"
  container_insights   = false
  services             = { order-api = { min = 1 } }
  table_names          = {}
  queues               = { work = "orders-dev-work" }
  dead_letters         = { dead = "orders-dev-dead" }
  functions            = { low-stock = { name = "orders-dev-low-stock", of_stream = true } }
  databases            = {}
  load_balancer_suffix = "l"
  target_group_suffix  = "t"
  emails               = ["orders@example.com"]
  monthly_budget       = 100
}

run "good_values" {
  command = plan
}

run "nobody" {
  command = plan

  variables {
    emails = []
  }

  expect_failures = [var.emails]
}

run "no_address" {
  command = plan

  variables {
    emails = ["somebody"]
  }

  expect_failures = [var.emails]
}

run "no_budget" {
  command = plan

  variables {
    monthly_budget = 0
  }

  expect_failures = [var.monthly_budget]
}
