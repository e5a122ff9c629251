# Tests of the variables alone: the rest of the module needs the provider.

variables {
  bucket           = "orders-state-1"
  evidence_writers = ["arn:aws:iam::123456789012:role/orders-*-promote"]
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

run "nobody_may_write_evidence" {
  command = plan

  variables {
    evidence_writers = []
  }

  expect_failures = [var.evidence_writers]
}

run "everybody_may_write_evidence" {
  command = plan

  variables {
    evidence_writers = ["*"]
  }

  expect_failures = [var.evidence_writers]
}

run "any_role_of_an_account_writes_evidence" {
  command = plan

  variables {
    evidence_writers = ["arn:aws:iam::123456789012:role/*"]
  }

  expect_failures = [var.evidence_writers]
}

run "a_reader" {
  command = plan

  variables {
    readers = ["arn:aws:iam::210987654321:role/orders-prod-promote"]
  }
}

run "a_whole_account_that_reads" {
  command = plan

  variables {
    readers = ["arn:aws:iam::210987654321:root"]
  }

  expect_failures = [var.readers]
}

run "any_role_reads" {
  command = plan

  variables {
    readers = ["arn:aws:iam::210987654321:role/*"]
  }

  expect_failures = [var.readers]
}
