# Tests of the variables alone: the rest of the module needs the provider.

variables {
  name         = "orders-dev"
  service      = "order-api"
  description  = { port = 8000, user = "65532:65532", health_check = ["CMD", "/a", "b"], environment = {}, tables = {}, discovers = {} }
  image        = { reference = "r@sha256:0000000000000000000000000000000000000000000000000000000000000000", platform = "linux/amd64" }
  region       = "eu-west-1"
  cluster      = { arn = "arn", name = "c", launch_type = "FARGATE", strategy = [] }
  subnet_ids   = ["subnet-1"]
  access       = { task_role_arn = "t", execution_role_arn = "e", log_group = "l", security_group_id = "s" }
  names        = {}
  size         = { cpu = 256, memory = 512 }
  tasks        = { min = 1, max = 2, requests_per_minute = 100 }
  target_group = { arn = "a", arn_suffix = "s", load_balancer_suffix = "l" }
  registry_arn = null
}

run "good_values" {
  command = plan
}

run "a_size_that_fargate_does_not_have" {
  command = plan

  variables {
    size = { cpu = 256, memory = 4096 }
  }

  expect_failures = [var.size]
}

run "an_unknown_cpu" {
  command = plan

  variables {
    size = { cpu = 300, memory = 512 }
  }

  expect_failures = [var.size]
}

run "no_task" {
  command = plan

  variables {
    tasks = { min = 0, max = 2, requests_per_minute = 100 }
  }

  expect_failures = [var.tasks]
}

run "fewer_than_the_least" {
  command = plan

  variables {
    tasks = { min = 3, max = 2, requests_per_minute = 100 }
  }

  expect_failures = [var.tasks]
}

run "no_requests_behind_a_load_balancer" {
  command = plan

  variables {
    tasks = { min = 1, max = 2 }
  }

  expect_failures = [var.tasks]
}

run "requests_without_a_load_balancer" {
  command = plan

  variables {
    target_group = null
  }

  expect_failures = [var.tasks]
}
