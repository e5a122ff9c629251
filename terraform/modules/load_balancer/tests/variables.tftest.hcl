# Tests of the variables alone: the rest of the module needs the provider.

variables {
  name        = "orders-dev"
  region      = "eu-west-1"
  account_id  = "123456789012"
  vpc_id      = "vpc-1"
  subnet_ids  = ["subnet-1", "subnet-2"]
  target_port = 8000
  domain      = { name = "orders.example.com", zone_id = "Z1" }
  plain_http  = false
  protected   = true
  log_days    = 30
}

run "good_values" {
  command = plan
}

run "plain_http_unasked" {
  command = plan

  variables {
    domain = null
  }

  expect_failures = [var.domain]
}

run "a_long_name" {
  command = plan

  variables {
    name = "orders-of-an-environment-with-a-name"
  }

  expect_failures = [var.name]
}

run "no_days" {
  command = plan

  variables {
    log_days = 0
  }

  expect_failures = [var.log_days]
}
