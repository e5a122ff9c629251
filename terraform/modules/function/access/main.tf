# The identity of a function: its role, its log and, where it needs the private network, its security group. They outlive every release.

data "aws_iam_policy_document" "lambda" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.account_id]
    }
  }
}

resource "aws_iam_role" "this" {
  name               = "${var.name}-${var.function}-function"
  assume_role_policy = data.aws_iam_policy_document.lambda.json
}

data "aws_iam_policy_document" "rights" {
  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.this.arn}:log-stream:*"]
  }

  dynamic "statement" {
    for_each = var.messaging
    content {
      actions   = statement.value
      resources = [statement.key]
    }
  }

  # Lambda receives with the role of the function, and deletes what it has handled.
  dynamic "statement" {
    for_each = length(var.sources.queues) == 0 ? [] : [var.sources.queues]
    content {
      actions   = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
      resources = statement.value
    }
  }

  dynamic "statement" {
    for_each = length(var.sources.streams) == 0 ? [] : [var.sources.streams]
    content {
      actions   = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
      resources = statement.value
    }
  }

  # A stream's name is the time of its creation.
  dynamic "statement" {
    for_each = length(var.sources.streams) == 0 ? [] : [var.sources.streams]
    content {
      actions   = ["dynamodb:ListStreams"]
      resources = [for arn in statement.value : "${dirname(arn)}/*"]
    }
  }

  dynamic "statement" {
    for_each = length(var.database_users) == 0 ? [] : [var.database_users]
    content {
      actions   = ["rds-db:connect"]
      resources = statement.value
    }
  }

  # Lambda makes the interfaces in the network with the role of the function.
  dynamic "statement" {
    for_each = var.network == null ? [] : [var.network]
    content {
      actions = [
        "ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:UnassignPrivateIpAddresses",
      ]
      resources = concat(statement.value.subnet_arns, [
        aws_security_group.this[0].arn,
        "arn:aws:ec2:${var.region}:${var.account_id}:network-interface/*",
      ])
    }
  }

  dynamic "statement" {
    #checkov:skip=CKV_AWS_356:descriptions of a network have no narrower resource
    for_each = var.network == null ? [] : [var.network]
    content {
      actions   = ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"]
      resources = ["*"]
    }
  }
}

resource "aws_iam_role_policy" "this" {
  name   = "rights"
  role   = aws_iam_role.this.id
  policy = data.aws_iam_policy_document.rights.json
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_158:AWS's own key: the functions write no secret, and a key of ours can be lost
  #checkov:skip=CKV_AWS_338:an environment sets the retention of its logs
  name              = "/${var.name}/${var.function}"
  retention_in_days = var.log_days
}

resource "aws_security_group" "this" {
  #checkov:skip=CKV2_AWS_5:the function of the release is in it
  count = var.network == null ? 0 : 1

  name_prefix = "${var.name}-${var.function}-"
  description = "Function ${var.function}"
  vpc_id      = var.network.vpc_id

  tags = { Name = "${var.name}-${var.function}" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_egress_rule" "out" {
  count = var.network == null ? 0 : 1

  security_group_id = aws_security_group.this[0].id
  description       = "HTTPS to AWS"
  cidr_ipv4         = var.network.out.cidr
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
