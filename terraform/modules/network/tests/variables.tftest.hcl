# Tests of the variables alone: the rest of the module needs the provider.

variables {
  name   = "orders-dev"
  region = "eu-west-1"
  cidr   = "10.0.0.0/16"
  zones  = ["eu-west-1a", "eu-west-1b"]
  nat    = "single"
}

run "good_values" {
  command = plan
}

run "one_zone" {
  command = plan

  variables {
    zones = ["eu-west-1a"]
  }

  expect_failures = [var.zones]
}

run "four_zones" {
  command = plan

  variables {
    zones = ["a", "b", "c", "d"]
  }

  expect_failures = [var.zones]
}

run "a_zone_twice" {
  command = plan

  variables {
    zones = ["a", "a"]
  }

  expect_failures = [var.zones]
}

run "no_block" {
  command = plan

  variables {
    cidr = "10.0.0.0"
  }

  expect_failures = [var.cidr]
}

run "a_small_block" {
  command = plan

  variables {
    cidr = "10.0.0.0/24"
  }

  expect_failures = [var.cidr]
}

run "no_address" {
  command = plan

  variables {
    cidr = "here/16"
  }

  expect_failures = [var.cidr]
}

run "an_unknown_nat" {
  command = plan

  variables {
    nat = "double"
  }

  expect_failures = [var.nat]
}

run "services_that_programs_call" {
  command = plan

  variables {
    called = ["sns", "sqs"]
  }
}

run "a_service_without_an_endpoint_here" {
  command = plan

  variables {
    called = ["s3"]
  }

  expect_failures = [var.called]
}
