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
