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
  image  = { reference = "repository/order-api@sha256:0000000000000000000000000000000000000000000000000000000000000000", platform = "linux/amd64" }
  region = "eu-west-1"
  names = {
    table_names = { orders = "orders-dev-orders" }
    srv_names   = { order-processor = "order-processor.orders-dev.internal" }
  }
  log_group = "/orders-dev/order-api"
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

run "a_service_of_queues_topics_and_a_database_that_another_one_prepares" {
  command = plan

  variables {
    service = {
      port         = 8000
      user         = "65532:65532"
      health_check = ["CMD", "/order-reporting", "healthcheck"]
      environment  = {}
      command      = ["consume"]
      queues       = { REPORTING_QUEUE_URL = "reporting" }
      topics       = { STOCK_EVENTS_TOPIC_ARN = "stock-events" }
      databases    = { DATABASE_URL = "reporting-database" }
      prepared_by  = { service = "reporting-migrate", command = ["migrate"] }
    }
    preparation = "repository/reporting-migrate@sha256:0000000000000000000000000000000000000000000000000000000000000000"
    names = {
      queue_urls    = { reporting = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders-dev-reporting" }
      topic_arns    = { stock-events = "arn:aws:sns:eu-west-1:123456789012:orders-dev-stock-events" }
      database_urls = { reporting-database = "postgres://reporting@database.internal:5432/reporting" }
    }
  }

  assert {
    condition = output.definition.environment == [
      { name = "AWS_REGION", value = "eu-west-1" },
      { name = "DATABASE_IAM", value = "true" },
      { name = "DATABASE_URL", value = "postgres://reporting@database.internal:5432/reporting" },
      { name = "IMAGE", value = var.image.reference },
      { name = "REPORTING_QUEUE_URL", value = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders-dev-reporting" },
      { name = "STOCK_EVENTS_TOPIC_ARN", value = "arn:aws:sns:eu-west-1:123456789012:orders-dev-stock-events" },
    ]
    error_message = "every variable, in order, and no password"
  }
  assert {
    condition     = join(" ", output.definition.command) == "consume" && output.definition.dependsOn[0] == { containerName = "reporting-migrate", condition = "SUCCESS" }
    error_message = "it starts once its preparation has succeeded"
  }
  assert {
    condition     = [for definition in output.definitions : definition.name] == ["reporting-migrate", "order-api"] && !output.definitions[0].essential
    error_message = "the end of the preparation is not the end of the task"
  }
  assert {
    condition     = output.definitions[0].readonlyRootFilesystem && output.definitions[0].user == "65532:65532" && join(" ", output.definitions[0].command) == "migrate"
    error_message = "nothing can be written there either"
  }
}

run "a_preparation_by_tag" {
  command = plan

  variables {
    preparation = "repository/reporting-migrate:1"
  }

  expect_failures = [var.preparation]
}
