# Who may release: workflows of one repository, for one environment, with a role that can do what a promotion does.

locals {
  arn = "${var.region}:${var.account_id}"
}

resource "aws_iam_openid_connect_provider" "github" {
  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

data "aws_iam_policy_document" "github" {
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [aws_iam_openid_connect_provider.github.arn]
    }

    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:aud"
      values   = ["sts.amazonaws.com"]
    }

    # A job has this subject only when it runs in the environment, whose rules GitHub enforces.
    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:sub"
      values   = ["repo:${var.repository}:environment:${var.environment}"]
    }
  }
}

resource "aws_iam_role" "promote" {
  name                 = "${var.name}-promote"
  assume_role_policy   = data.aws_iam_policy_document.github.json
  max_session_duration = 3600
}

resource "aws_iam_role_policy" "promote" {
  name   = "promote"
  role   = aws_iam_role.promote.id
  policy = data.aws_iam_policy_document.promote.json
}

data "aws_iam_policy_document" "promote" {
  #checkov:skip=CKV_AWS_356:the statement named NoNarrowerResource lists actions for which AWS takes no resource
  statement {
    sid       = "NoNarrowerResource"
    resources = ["*"]
    actions = [
      "application-autoscaling:DescribeScalableTargets",
      "application-autoscaling:DescribeScalingPolicies",
      "ecr:GetAuthorizationToken",
      "ecs:DescribeTaskDefinition",
      "elasticloadbalancing:DescribeTargetGroups",
      "elasticloadbalancing:DescribeTargetHealth",
    ]
  }

  statement {
    sid       = "Images"
    resources = values(var.repository_arns)
    actions = [
      "ecr:BatchCheckLayerAvailability",
      "ecr:BatchGetImage",
      "ecr:CompleteLayerUpload",
      "ecr:DescribeImages",
      "ecr:GetDownloadUrlForLayer",
      "ecr:InitiateLayerUpload",
      "ecr:PutImage",
      "ecr:UploadLayerPart",
    ]
  }

  statement {
    sid       = "Services"
    resources = [for service in keys(var.access) : "arn:aws:ecs:${local.arn}:service/${var.cluster.name}/${service}"]
    actions = [
      "ecs:CreateService",
      "ecs:DeleteService",
      "ecs:DescribeServices",
      "ecs:TagResource",
      "ecs:UpdateService",
    ]
  }

  statement {
    sid       = "TaskDefinitions"
    resources = [for service in keys(var.access) : "arn:aws:ecs:${local.arn}:task-definition/${var.name}-${service}:*"]
    actions   = ["ecs:RegisterTaskDefinition", "ecs:TagResource"]
  }

  statement {
    sid       = "Tasks"
    resources = ["arn:aws:ecs:${local.arn}:task/${var.cluster.name}/*", "arn:aws:ecs:${local.arn}:container-instance/${var.cluster.name}/*"]
    actions   = ["ecs:DescribeTasks", "ecs:ListTasks"]

    condition {
      test     = "ArnEquals"
      variable = "ecs:cluster"
      values   = [var.cluster.arn]
    }
  }

  statement {
    sid       = "RolesOfTheServices"
    resources = flatten([for access in var.access : [access.task_role_arn, access.execution_role_arn]])
    actions   = ["iam:PassRole"]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ecs-tasks.amazonaws.com"]
    }
  }

  # Made by AWS on behalf of whoever scales the first service of an account.
  statement {
    sid       = "RoleOfTheScaling"
    resources = ["arn:aws:iam::${var.account_id}:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService"]
    actions   = ["iam:CreateServiceLinkedRole"]

    condition {
      test     = "StringEquals"
      variable = "iam:AWSServiceName"
      values   = ["ecs.application-autoscaling.amazonaws.com"]
    }
  }

  statement {
    sid       = "Scaling"
    resources = ["arn:aws:application-autoscaling:${local.arn}:scalable-target/*"]
    actions = [
      "application-autoscaling:DeleteScalingPolicy",
      "application-autoscaling:DeregisterScalableTarget",
      "application-autoscaling:ListTagsForResource",
      "application-autoscaling:PutScalingPolicy",
      "application-autoscaling:RegisterScalableTarget",
      "application-autoscaling:TagResource",
    ]

    condition {
      test     = "StringEquals"
      variable = "application-autoscaling:service-namespace"
      values   = ["ecs"]
    }
  }

  statement {
    sid = "Alarms"
    resources = [
      "arn:aws:cloudwatch:${local.arn}:alarm:${var.name}-*",
      "arn:aws:cloudwatch::${var.account_id}:dashboard/${var.name}",
    ]
    actions = [
      "cloudwatch:DeleteAlarms",
      "cloudwatch:DeleteDashboards",
      "cloudwatch:DescribeAlarms",
      "cloudwatch:GetDashboard",
      "cloudwatch:ListTagsForResource",
      "cloudwatch:PutDashboard",
      "cloudwatch:PutMetricAlarm",
      "cloudwatch:TagResource",
    ]
  }

  statement {
    sid       = "WhoIsTold"
    resources = ["arn:aws:sns:${local.arn}:${var.name}-alarms", "arn:aws:sns:${local.arn}:${var.name}-alarms:*"]
    actions = [
      "sns:CreateTopic",
      "sns:DeleteTopic",
      "sns:GetSubscriptionAttributes",
      "sns:GetTopicAttributes",
      "sns:ListTagsForResource",
      "sns:SetTopicAttributes",
      "sns:Subscribe",
      "sns:TagResource",
      "sns:Unsubscribe",
    ]
  }

  statement {
    sid       = "Budget"
    resources = ["arn:aws:budgets::${var.account_id}:budget/${var.name}"]
    actions   = ["budgets:ListTagsForResource", "budgets:ModifyBudget", "budgets:TagResource", "budgets:ViewBudget"]
  }

  statement {
    sid       = "WhyATaskEnded"
    resources = [for access in var.access : "${access.log_group_arn}:log-stream:*"]
    actions   = ["logs:GetLogEvents"]
  }

  statement {
    sid       = "ReadTheFoundation"
    resources = ["arn:aws:s3:::${var.bucket}/${var.environment}/foundation.tfstate"]
    actions   = ["s3:GetObject"]
  }

  statement {
    sid = "StateAndRecordsOfReleases"
    resources = [
      "arn:aws:s3:::${var.bucket}/${var.environment}/release.tfstate",
      "arn:aws:s3:::${var.bucket}/${var.environment}/releases/*",
    ]
    actions = ["s3:GetObject", "s3:PutObject"]
  }

  statement {
    sid = "Locks"
    resources = [
      "arn:aws:s3:::${var.bucket}/${var.environment}/release.tfstate.tflock",
      "arn:aws:s3:::${var.bucket}/${var.environment}/releases/lock",
    ]
    actions = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
  }

  statement {
    sid       = "WhatIsThere"
    resources = ["arn:aws:s3:::${var.bucket}"]
    actions   = ["s3:ListBucket"]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      # The second is where Terraform looks for workspaces, of which there are none.
      values = ["${var.environment}/*", "env:/"]
    }
  }
}
