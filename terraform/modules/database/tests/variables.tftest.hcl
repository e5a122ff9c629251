# Tests of the variables alone: the rest of the module needs the provider.

variables {
  folder      = "d"
  names       = ["reporting-database"]
  name_prefix = "orders-dev-"
  region      = "eu-west-1"
  account_id  = "123456789012"
  vpc_id      = "vpc-1"
  subnet_ids  = ["subnet-1", "subnet-2"]
  protected   = false
  backup_days = 7
  log_days    = 14
}

run "good_values" {
  command = plan
}

run "no_backup" {
  command = plan

  variables {
    backup_days = 0
  }

  expect_failures = [var.backup_days]
}

run "one_zone" {
  command = plan

  variables {
    subnet_ids = ["subnet-1"]
  }

  expect_failures = [var.subnet_ids]
}

run "a_prefix_that_rds_refuses" {
  command = plan

  variables {
    name_prefix = "Orders--"
  }

  expect_failures = [var.name_prefix]
}
