# Tests of the variables alone: the rest of the module needs the provider.

variables {
  environment                 = "dev"
  account_id                  = "123456789012"
  region                      = "eu-west-1"
  bucket                      = "b"
  repository                  = "example/orders"
  network                     = { cidr = "10.0.0.0/16", zones = ["a", "b"], nat = "none" }
  capacity                    = { kind = "fargate" }
  container_insights          = false
  domain                      = null
  plain_http                  = true
  protected                   = false
  point_in_time_recovery_days = 7
  seeds                       = null
  log_days                    = 14
}

run "good_values" {
  command = plan
}

run "a_long_environment" {
  command = plan

  variables {
    environment = "an-environment"
  }

  expect_failures = [var.environment]
}

run "an_account_that_was_not_filled_in" {
  command = plan

  variables {
    account_id = "000000000000"
  }

  expect_failures = [var.account_id]
}

run "no_account" {
  command = plan

  variables {
    account_id = "orders"
  }

  expect_failures = [var.account_id]
}

run "machines_without_a_way_out" {
  command = plan

  variables {
    capacity = { kind = "ec2", instance_type = "t3.small", max_instances = 2 }
  }

  expect_failures = [var.network]
}

run "a_required_environment" {
  command = plan

  variables {
    requires = [{ environment = "dev", account_id = "123456789012", region = "eu-west-1", bucket = "orders-state-123456789012-eu-west-1" }]
  }
}

run "a_required_environment_without_an_account" {
  command = plan

  variables {
    requires = [{ environment = "dev", account_id = "*", region = "eu-west-1", bucket = "orders-state-1" }]
  }

  expect_failures = [var.requires]
}
