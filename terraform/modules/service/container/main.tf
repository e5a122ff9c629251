# The container definition of a service for ECS. It needs no provider, so that it is tested without one.

locals {
  architectures = { "linux/amd64" = "X86_64", "linux/arm64" = "ARM64" }

  environment = merge(
    var.service.environment,
    { for variable, table in var.service.tables : variable => var.table_names[table] },
    { for variable, service in var.service.discovers : variable => var.discovered[service] },
    { AWS_REGION = var.region, IMAGE = var.image.reference },
  )

  definition = {
    name      = var.name
    image     = var.image.reference
    essential = true
    user      = var.service.user

    # The container writes no file, and no process may gain a right.
    readonlyRootFilesystem = true
    linuxParameters        = { initProcessEnabled = false, capabilities = { drop = ["ALL"] } }

    portMappings = [{ containerPort = var.service.port, protocol = "tcp" }]

    # Sorted, so that the same settings give the same definition.
    environment = [for variable in sort(keys(local.environment)) : { name = variable, value = local.environment[variable] }]

    # Seconds. The check is /livez: a database that fails is no reason to end a task.
    healthCheck = { command = var.service.health_check, interval = 5, timeout = 2, retries = 3, startPeriod = 10 }
    stopTimeout = 15

    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = var.log_group
        awslogs-region        = var.region
        awslogs-stream-prefix = "task"
        # A log that cannot be written must not stop an order.
        mode            = "non-blocking"
        max-buffer-size = "4m"
      }
    }
  }
}
