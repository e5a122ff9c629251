# The identity of a service: its two roles, its log, its security group. They outlive every release.

data "aws_iam_policy_document" "tasks" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.account_id]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["arn:aws:ecs:${var.region}:${var.account_id}:*"]
    }
  }
}

# The rights of the program.
resource "aws_iam_role" "task" {
  name               = "${var.name}-${var.service}-task"
  assume_role_policy = data.aws_iam_policy_document.tasks.json
}

data "aws_iam_policy_document" "rights" {
  dynamic "statement" {
    for_each = var.permissions
    content {
      actions   = statement.value.actions
      resources = [statement.value.arn]
    }
  }

  dynamic "statement" {
    for_each = merge([for permission in var.permissions : permission.indexes]...)
    content {
      actions   = statement.value
      resources = [statement.key]
    }
  }

  # Queues and topics.
  dynamic "statement" {
    for_each = var.messaging
    content {
      actions   = statement.value
      resources = [statement.key]
    }
  }

  # A login to a database with the role in place of a password.
  dynamic "statement" {
    for_each = length(var.database_users) == 0 ? [] : [var.database_users]
    content {
      actions   = ["rds-db:connect"]
      resources = statement.value
    }
  }
}

resource "aws_iam_role_policy" "rights" {
  name   = "rights"
  role   = aws_iam_role.task.id
  policy = data.aws_iam_policy_document.rights.json
}

# The rights of ECS before the program starts.
resource "aws_iam_role" "execution" {
  name               = "${var.name}-${var.service}-execution"
  assume_role_policy = data.aws_iam_policy_document.tasks.json
}

data "aws_iam_policy_document" "execution" {
  #checkov:skip=CKV_AWS_356:a registry login has no narrower resource
  statement {
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    resources = var.repository_arns
  }

  # AWS adds an agent to a task as its own container and pulls it with this role.
  dynamic "statement" {
    for_each = length(var.agent_repository_arns) == 0 ? [] : [var.agent_repository_arns]
    content {
      actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      resources = statement.value
    }
  }

  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.this.arn}:log-stream:*"]
  }
}

resource "aws_iam_role_policy" "execution" {
  name   = "start"
  role   = aws_iam_role.execution.id
  policy = data.aws_iam_policy_document.execution.json
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_158:AWS's own key: the services write no secret, and a key of ours can be lost
  #checkov:skip=CKV_AWS_338:an environment sets the retention of its logs
  name              = "/${var.name}/${var.service}"
  retention_in_days = var.log_days
}

resource "aws_security_group" "this" {
  #checkov:skip=CKV2_AWS_5:the tasks of the release are in it
  name_prefix = "${var.name}-${var.service}-"
  description = "Tasks of ${var.service}"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-${var.service}" }

  lifecycle {
    create_before_destroy = true
  }
}

# ECR, logs, and other AWS services that are reached by name.
resource "aws_vpc_security_group_egress_rule" "out" {
  security_group_id = aws_security_group.this.id
  description       = "HTTPS to AWS"
  cidr_ipv4         = var.out.cidr
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "gateway" {
  for_each = var.out.prefix_lists

  security_group_id = aws_security_group.this.id
  description       = "HTTPS to ${each.key}"
  prefix_list_id    = each.value
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
