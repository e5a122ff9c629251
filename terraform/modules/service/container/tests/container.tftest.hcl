variables {
  name = "order-api"
  service = {
    port         = 8000
    user         = "65532:65532"
    health_check = ["CMD", "/order-api", "healthcheck"]
    environment  = { RUST_LOG = "info" }
    tables       = { ORDERS_TABLE = "orders" }
    discovers    = { ORDER_PROCESSOR_SRV = "order-processor" }
  }
  image       = { reference = "repository/order-api@sha256:0000000000000000000000000000000000000000000000000000000000000000", platform = "linux/amd64" }
  region      = "eu-west-1"
  table_names = { orders = "orders-dev-orders" }
  discovered  = { order-processor = "order-processor.orders-dev.internal" }
  log_group   = "/orders-dev/order-api"
}

run "a_definition" {
  command = plan

  assert {
    condition = output.definition.environment == [
      { name = "AWS_REGION", value = "eu-west-1" },
      { name = "IMAGE", value = var.image.reference },
      { name = "ORDERS_TABLE", value = "orders-dev-orders" },
      { name = "ORDER_PROCESSOR_SRV", value = "order-processor.orders-dev.internal" },
      { name = "RUST_LOG", value = "info" },
    ]
    error_message = "every variable, in order"
  }
  assert {
    condition     = output.architecture == "X86_64"
    error_message = "the architecture of the image"
  }
  assert {
    condition     = output.definition.readonlyRootFilesystem && output.definition.user == "65532:65532"
    error_message = "nothing can be written, and nobody is root"
  }
}

run "an_arm_image" {
  command = plan

  variables {
    image = { reference = "repository/order-api@sha256:0000000000000000000000000000000000000000000000000000000000000000", platform = "linux/arm64" }
  }

  assert {
    condition     = output.architecture == "ARM64"
    error_message = "the architecture of the image"
  }
}

run "an_image_by_tag" {
  command = plan

  variables {
    image = { reference = "repository/order-api:1", platform = "linux/amd64" }
  }

  expect_failures = [var.image]
}

run "a_short_digest" {
  command = plan

  variables {
    image = { reference = "repository/order-api@sha256:00", platform = "linux/amd64" }
  }

  expect_failures = [var.image]
}

run "an_unknown_platform" {
  command = plan

  variables {
    image = { reference = "repository/order-api@sha256:0000000000000000000000000000000000000000000000000000000000000000", platform = "windows/amd64" }
  }

  expect_failures = [var.image]
}

run "a_root_user" {
  command = plan

  variables {
    service = { port = 8000, user = "0:0", health_check = ["CMD", "/order-api", "healthcheck"], environment = {}, tables = {}, discovers = {} }
  }

  expect_failures = [var.service]
}

run "a_user_by_name" {
  command = plan

  variables {
    service = { port = 8000, user = "nobody", health_check = ["CMD", "/order-api", "healthcheck"], environment = {}, tables = {}, discovers = {} }
  }

  expect_failures = [var.service]
}

run "a_check_that_needs_a_shell" {
  command = plan

  variables {
    service = { port = 8000, user = "65532:65532", health_check = ["CMD-SHELL", "curl localhost"], environment = {}, tables = {}, discovers = {} }
  }

  expect_failures = [var.service]
}
