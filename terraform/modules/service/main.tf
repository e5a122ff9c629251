# One release of one service: its tasks, their number, and their replacement.

module "container" {
  source = "./container"

  name        = var.service
  service     = var.description
  image       = var.image
  region      = var.region
  names       = var.names
  preparation = var.preparation
  log_group   = var.access.log_group
}

resource "aws_ecs_task_definition" "this" {
  #checkov:skip=CKV_AWS_249:two roles, both made by the access module, whose names are not known here
  family                   = "${var.name}-${var.service}"
  requires_compatibilities = [var.cluster.launch_type]
  network_mode             = "awsvpc"
  cpu                      = var.size.cpu
  memory                   = var.size.memory
  task_role_arn            = var.access.task_role_arn
  execution_role_arn       = var.access.execution_role_arn
  container_definitions    = jsonencode(module.container.definitions)

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = module.container.architecture
  }

  # A rollback needs the old definition.
  skip_destroy = true
}

resource "aws_ecs_service" "this" {
  name            = var.service
  cluster         = var.cluster.arn
  task_definition = aws_ecs_task_definition.this.arn
  desired_count   = var.tasks.min

  # Keep all old tasks until as many new ones are healthy.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  availability_zone_rebalancing      = "ENABLED"
  propagate_tags                     = "SERVICE"
  enable_ecs_managed_tags            = true

  # The promotion waits, and reports the progress.
  wait_for_steady_state = false

  health_check_grace_period_seconds = var.target_group == null ? null : 30

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [var.access.security_group_id]
    assign_public_ip = false
  }

  dynamic "capacity_provider_strategy" {
    for_each = var.cluster.strategy
    content {
      capacity_provider = capacity_provider_strategy.value.provider
      weight            = capacity_provider_strategy.value.weight
      base              = capacity_provider_strategy.value.base
    }
  }

  dynamic "load_balancer" {
    for_each = var.target_group == null ? [] : [var.target_group]
    content {
      target_group_arn = load_balancer.value.arn
      container_name   = var.service
      container_port   = var.description.port
    }
  }

  dynamic "service_registries" {
    for_each = var.registry_arn == null ? [] : [var.registry_arn]
    content {
      registry_arn   = service_registries.value
      container_name = var.service
      container_port = var.description.port
    }
  }

  lifecycle {
    # Autoscaling sets it from the first release on.
    ignore_changes = [desired_count]
  }
}

resource "aws_appautoscaling_target" "this" {
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${var.cluster.name}/${aws_ecs_service.this.name}"
  min_capacity       = var.tasks.min
  max_capacity       = var.tasks.max
}

resource "aws_appautoscaling_policy" "cpu" {
  name               = "cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this.service_namespace
  scalable_dimension = aws_appautoscaling_target.this.scalable_dimension
  resource_id        = aws_appautoscaling_target.this.resource_id

  target_tracking_scaling_policy_configuration {
    # Percent of the task's processor time.
    target_value       = 60
    scale_in_cooldown  = 300
    scale_out_cooldown = 30

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}

resource "aws_appautoscaling_policy" "requests" {
  count = var.target_group == null ? 0 : 1

  name               = "requests"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this.service_namespace
  scalable_dimension = aws_appautoscaling_target.this.scalable_dimension
  resource_id        = aws_appautoscaling_target.this.resource_id

  target_tracking_scaling_policy_configuration {
    # Requests per minute and task.
    target_value       = var.tasks.requests_per_minute
    scale_in_cooldown  = 300
    scale_out_cooldown = 30

    predefined_metric_specification {
      predefined_metric_type = "ALBRequestCountPerTarget"
      resource_label         = "${var.target_group.load_balancer_suffix}/${var.target_group.arn_suffix}"
    }
  }
}
