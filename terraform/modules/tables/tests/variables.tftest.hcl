# Tests of the variables alone: the rest of the module needs the provider.

variables {
  folder                      = "../../../tables"
  name_prefix                 = "orders-dev-"
  deletion_protection         = true
  point_in_time_recovery_days = 35
  seeds                       = null
}

run "good_values" {
  command = plan
}

run "a_prefix_that_no_table_can_have" {
  command = plan

  variables {
    name_prefix = "orders/dev"
  }

  expect_failures = [var.name_prefix]
}

run "no_prefix" {
  command = plan

  variables {
    name_prefix = ""
  }

  expect_failures = [var.name_prefix]
}

run "no_days" {
  command = plan

  variables {
    point_in_time_recovery_days = 0
  }

  expect_failures = [var.point_in_time_recovery_days]
}

run "too_many_days" {
  command = plan

  variables {
    point_in_time_recovery_days = 36
  }

  expect_failures = [var.point_in_time_recovery_days]
}
