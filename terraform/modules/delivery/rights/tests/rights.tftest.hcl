variables {
  name        = "orders-dev"
  environment = "dev"
  region      = "eu-west-1"
  account_id  = "123456789012"
  bucket      = "orders-state"
  cluster     = { arn = "arn:aws:ecs:eu-west-1:123456789012:cluster/orders-dev", name = "orders-dev" }
  repository_arns = {
    order-api = "arn:aws:ecr:eu-west-1:123456789012:repository/orders/order-api"
  }
  access = {
    order-api = {
      task_role_arn      = "arn:aws:iam::123456789012:role/orders-dev-order-api"
      execution_role_arn = "arn:aws:iam::123456789012:role/orders-dev-order-api-execution"
      log_group_arn      = "arn:aws:logs:eu-west-1:123456789012:log-group:/orders-dev/order-api"
    }
  }
}

run "only_what_has_no_narrower_resource_is_for_all" {
  command = plan

  assert {
    condition = alltrue([
      for statement in jsondecode(output.policy).Statement :
      statement.Sid == "NoNarrowerResource" || !contains(flatten([statement.Resource]), "*")
    ])
    error_message = "A right for every resource belongs to the statement NoNarrowerResource."
  }
}

run "nothing_that_makes_a_role_or_touches_a_table" {
  command = plan

  assert {
    condition = length([
      for action in flatten([for statement in jsondecode(output.policy).Statement : statement.Action]) : action
      if startswith(action, "dynamodb:") || startswith(action, "ec2:") || action == "iam:CreateRole"
    ]) == 0
    error_message = "Roles, tables and networks are the foundation's."
  }
}

run "functions_and_their_event_sources_alone" {
  command = plan

  variables {
    functions = { low-stock = { role_arn = "arn:aws:iam::123456789012:role/orders-dev-low-stock-function", security_group_id = null } }
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(output.policy).Statement : alltrue([
        for resource in flatten([statement.Resource]) :
        resource == "arn:aws:lambda:eu-west-1:123456789012:function:orders-dev-low-stock" || try(statement.Condition.ArnEquals["lambda:FunctionArn"] == ["arn:aws:lambda:eu-west-1:123456789012:function:orders-dev-low-stock"], false)
      ]) if length([for action in flatten([statement.Action]) : action if startswith(action, "lambda:")]) > 0
    ])
    error_message = "A promotion changes the functions of its environment, and no other."
  }
  assert {
    condition     = length([for statement in jsondecode(output.policy).Statement : statement if statement.Sid == "NetworkOfTheFunctions"]) == 0
    error_message = "A function outside of the network needs no look at it."
  }
}

run "nothing_of_functions_where_there_is_none" {
  command = plan

  assert {
    condition     = !strcontains(output.policy, "lambda")
    error_message = "IAM refuses a statement without a resource."
  }
}

run "of_its_own_environment" {
  command = plan

  assert {
    condition = length([
      for resource in flatten([for statement in jsondecode(output.policy).Statement : statement.Resource]) : resource
      if strcontains(resource, ":s3:") && strcontains(resource, "/") && !startswith(resource, "arn:aws:s3:::orders-state/dev/")
    ]) == 0
    error_message = "State and records of other environments are not its own."
  }
}

run "what_is_required_is_read_and_never_written" {
  command = plan

  variables {
    requires = [{
      environment     = "test"
      bucket          = "orders-state-test"
      repository_arns = ["arn:aws:ecr:eu-west-1:210987654321:repository/orders-test/order-api"]
    }]
  }

  assert {
    condition = length(setsubtract(flatten([
      for statement in jsondecode(output.policy).Statement : statement.Action
      if length([for resource in flatten([statement.Resource]) : resource if strcontains(resource, "-test")]) > 0
      ]), [
      "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "s3:GetObject", "s3:ListBucket",
    ])) == 0
    error_message = "A promotion reads from another environment, and does nothing else there."
  }

  assert {
    condition = length([
      for resource in flatten([for statement in jsondecode(output.policy).Statement : statement.Resource]) : resource
      if strcontains(resource, "orders-state-test/") && !startswith(resource, "arn:aws:s3:::orders-state-test/test/releases/") && !startswith(resource, "arn:aws:s3:::orders-state-test/test/evidence/")
    ]) == 0
    error_message = "A promotion reads its records and its evidence, and not its state."
  }
}

run "nothing_of_others_where_none_is_required" {
  command = plan

  assert {
    condition     = length([for statement in jsondecode(output.policy).Statement : statement if startswith(statement.Sid, "Required")]) == 0
    error_message = "IAM refuses a statement without a resource."
  }
}
