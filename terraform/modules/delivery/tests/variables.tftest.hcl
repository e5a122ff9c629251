# Tests of the variables alone: the rest of the module needs the provider.

variables {
  name            = "orders-dev"
  environment     = "dev"
  region          = "eu-west-1"
  account_id      = "123456789012"
  repository      = "example/orders"
  bucket          = "b"
  cluster         = { arn = "a", name = "n" }
  repository_arns = {}
  access          = {}
}

run "good_values" {
  command = plan
}

run "any_repository_of_an_owner" {
  command = plan

  variables {
    repository = "example/*"
  }

  expect_failures = [var.repository]
}

run "no_owner" {
  command = plan

  variables {
    repository = "orders"
  }

  expect_failures = [var.repository]
}
