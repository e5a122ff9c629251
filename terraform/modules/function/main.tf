# One release of one function, and the event sources that feed it.

locals {
  architectures = { "linux/amd64" = "x86_64", "linux/arm64" = "arm64" }
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_50:traces go with each event, as its traceparent
  #checkov:skip=CKV_AWS_115:an environment sets it; without one, the account's limit holds
  #checkov:skip=CKV_AWS_116:no caller invokes it without waiting: its event sources keep what fails
  #checkov:skip=CKV_AWS_117:only a function with a database needs the private network
  #checkov:skip=CKV_AWS_173:AWS's own key: its variables hold no secret, and a key of ours can be lost
  #checkov:skip=CKV_AWS_272:for archives alone; the image is named by the digest that was tested
  function_name = "${var.name}-${var.function}"
  description   = var.arguments.description
  role          = var.access.role_arn
  package_type  = "Image"
  image_uri     = var.image.reference
  architectures = [local.architectures[var.image.platform]]
  timeout       = var.arguments.timeout
  memory_size   = var.arguments.memory

  reserved_concurrent_executions = var.concurrency

  dynamic "image_config" {
    for_each = var.arguments.command == null ? [] : [var.arguments.command]
    content {
      command = image_config.value
    }
  }

  ephemeral_storage {
    size = var.arguments.storage
  }

  environment {
    variables = var.environment
  }

  logging_config {
    log_group  = var.access.log_group
    log_format = "Text"
  }

  dynamic "vpc_config" {
    for_each = var.access.security_group_id == null ? [] : [var.access.security_group_id]
    content {
      subnet_ids         = var.subnet_ids
      security_group_ids = [vpc_config.value]
    }
  }
}

resource "aws_lambda_event_source_mapping" "this" {
  for_each = var.mappings

  function_name                      = aws_lambda_function.this.arn
  event_source_arn                   = each.value.source
  batch_size                         = each.value.batch_size
  maximum_batching_window_in_seconds = each.value.window
  function_response_types            = each.value.response_types
  starting_position                  = each.value.starting_position
  bisect_batch_on_function_error     = each.value.bisects
  maximum_record_age_in_seconds      = each.value.max_age
  maximum_retry_attempts             = each.value.retries
  parallelization_factor             = each.value.parallelization

  dynamic "filter_criteria" {
    for_each = length(each.value.patterns) == 0 ? [] : [each.value.patterns]
    content {
      dynamic "filter" {
        for_each = filter_criteria.value
        content {
          pattern = filter.value
        }
      }
    }
  }

  dynamic "scaling_config" {
    for_each = each.value.concurrency == null ? [] : [each.value.concurrency]
    content {
      maximum_concurrency = scaling_config.value
    }
  }
}
