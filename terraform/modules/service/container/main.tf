# The container definition of a service for ECS. It needs no provider, so that it is tested without one.

locals {
  architectures = { "linux/amd64" = "X86_64", "linux/arm64" = "ARM64" }

  environment = merge(
    var.service.environment,
    { for variable, table in var.service.tables : variable => var.names.table_names[table] },
    { for variable, queue in var.service.queues : variable => var.names.queue_urls[queue] },
    { for variable, topic in var.service.topics : variable => var.names.topic_arns[topic] },
    { for variable, database in var.service.databases : variable => var.names.database_urls[database] },
    length(var.service.databases) == 0 ? {} : { DATABASE_IAM = "true" },
    { for variable, service in var.service.discovers : variable => var.names.srv_names[service] },
    { AWS_REGION = var.region, IMAGE = var.image.reference },
  )

  # Sorted, so that the same settings give the same definition.
  variables = [for variable in sort(keys(local.environment)) : { name = variable, value = local.environment[variable] }]

  # The container writes no file, and no process may gain a right.
  hardening = {
    user                   = var.service.user
    readonlyRootFilesystem = true
    linuxParameters        = { initProcessEnabled = false, capabilities = { drop = ["ALL"] } }
  }

  log = {
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

  # It runs to its end before the service starts, in each task anew: the same preparation twice changes nothing.
  preparation = var.preparation == null ? null : merge(local.hardening, {
    name             = var.service.prepared_by.service
    image            = var.preparation
    essential        = false
    command          = var.service.prepared_by.command
    environment      = local.variables
    logConfiguration = local.log
  })

  definition = merge(local.hardening, {
    name      = var.name
    image     = var.image.reference
    essential = true

    portMappings = [{ containerPort = var.service.port, protocol = "tcp" }]

    environment = local.variables

    # Seconds. The check is /livez: a database that fails is no reason to end a task.
    healthCheck = { command = var.service.health_check, interval = 5, timeout = 2, retries = 3, startPeriod = 10 }
    stopTimeout = 15

    logConfiguration = local.log
    },
    # The image's own command, unless the service has one.
    length(var.service.command) == 0 ? {} : { command = var.service.command },
    var.preparation == null ? {} : { dependsOn = [{ containerName = var.service.prepared_by.service, condition = "SUCCESS" }] },
  )
}
