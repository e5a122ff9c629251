# Tests of the variables alone: the rest of the module needs the provider.

variables {
  name               = "orders-dev"
  vpc_id             = "vpc-1"
  subnet_ids         = ["subnet-1"]
  capacity           = { kind = "fargate" }
  container_insights = false
}

run "good_values" {
  command = plan
}

run "an_unknown_kind" {
  command = plan

  variables {
    capacity = { kind = "lambda" }
  }

  expect_failures = [var.capacity]
}

run "machines_of_no_type" {
  command = plan

  variables {
    capacity = { kind = "ec2" }
  }

  expect_failures = [var.capacity]
}

run "machines_without_a_limit" {
  command = plan

  variables {
    capacity = { kind = "ec2", instance_type = "t3.small" }
  }

  expect_failures = [var.capacity]
}

run "a_type_for_fargate" {
  command = plan

  variables {
    capacity = { kind = "fargate", instance_type = "t3.small" }
  }

  expect_failures = [var.capacity]
}

run "a_reserved_name" {
  command = plan

  variables {
    name = "ecs-orders"
  }

  expect_failures = [var.name]
}
