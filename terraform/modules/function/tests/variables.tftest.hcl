# Tests of the variables alone: the rest of the module needs the provider.

variables {
  name        = "orders-dev"
  function    = "low-stock"
  arguments   = { description = null, timeout = 30, memory = 128, storage = 512, command = null }
  mappings    = {}
  image       = { reference = "repository/low-stock@sha256:0000000000000000000000000000000000000000000000000000000000000000", platform = "linux/arm64" }
  access      = { role_arn = "arn", log_group = "/orders-dev/low-stock", security_group_id = null }
  subnet_ids  = []
  environment = {}
  concurrency = -1
}

run "good_values" {
  command = plan
}

run "an_image_by_tag" {
  command = plan

  variables {
    image = { reference = "repository/low-stock:1", platform = "linux/arm64" }
  }

  expect_failures = [var.image]
}

run "a_platform_that_lambda_does_not_have" {
  command = plan

  variables {
    image = { reference = "repository/low-stock@sha256:0000000000000000000000000000000000000000000000000000000000000000", platform = "linux/s390x" }
  }

  expect_failures = [var.image]
}

run "a_stopped_function" {
  command = plan

  variables {
    concurrency = 0
  }

  expect_failures = [var.concurrency]
}
