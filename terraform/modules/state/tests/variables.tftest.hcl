# Of the variables alone: the rest of the module needs the provider.

variables {
  bucket = "orders-state-1"
}

run "good_values" {
  command = plan
}

run "an_upper_case_name" {
  command = plan

  variables {
    bucket = "Orders"
  }

  expect_failures = [var.bucket]
}

run "an_underscore" {
  command = plan

  variables {
    bucket = "orders_state"
  }

  expect_failures = [var.bucket]
}

run "too_short" {
  command = plan

  variables {
    bucket = "ab"
  }

  expect_failures = [var.bucket]
}
