# The rights of a promotion, as a policy. It needs no provider, so that an emulated AWS can enforce it in a test.

locals {
  arn = "${var.region}:${var.account_id}"

  # IAM refuses a statement without a resource.
  statements = [for statement in concat(local.own, local.required, local.of_functions) : statement if length(statement.Resource) > 0]

  # Rights to environments whose releases this one takes over.
  required = [
    {
      Sid      = "RequiredImages"
      Effect   = "Allow"
      Resource = flatten([for required in var.requires : required.repository_arns])
      Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    },

    {
      Sid    = "RequiredRecordsAndEvidence"
      Effect = "Allow"
      Resource = flatten([for required in var.requires : [
        "arn:aws:s3:::${required.bucket}/${required.environment}/releases/*",
        "arn:aws:s3:::${required.bucket}/${required.environment}/evidence/*",
      ]])
      Action = ["s3:GetObject"]
    },

    {
      Sid      = "WhatIsRequired"
      Effect   = "Allow"
      Resource = [for required in var.requires : "arn:aws:s3:::${required.bucket}"]
      Action   = ["s3:ListBucket"]
      Condition = { StringLike = { "s3:prefix" = flatten([for required in var.requires : [
        "${required.environment}/releases/*",
        "${required.environment}/evidence/*",
      ]]) } }
    },
  ]

  # Rights to functions and to the event sources that feed them.
  of_functions = [
    {
      Sid      = "Functions"
      Effect   = "Allow"
      Resource = local.function_arns
      Action = [
        "lambda:CreateFunction",
        "lambda:DeleteFunction",
        "lambda:DeleteFunctionConcurrency",
        "lambda:GetFunction",
        "lambda:GetFunctionCodeSigningConfig",
        "lambda:GetFunctionConfiguration",
        "lambda:ListTags",
        "lambda:ListVersionsByFunction",
        "lambda:PutFunctionConcurrency",
        "lambda:TagResource",
        "lambda:UpdateFunctionCode",
        "lambda:UpdateFunctionConfiguration",
      ]
    },

    {
      Sid       = "RolesOfTheFunctions"
      Effect    = "Allow"
      Resource  = [for function in var.functions : function.role_arn]
      Action    = ["iam:PassRole"]
      Condition = { StringEquals = { "iam:PassedToService" = ["lambda.amazonaws.com"] } }
    },

    # Their ids are AWS's choice, so their functions limit them.
    {
      Sid      = "EventSources"
      Effect   = "Allow"
      Resource = length(var.functions) == 0 ? [] : ["arn:aws:lambda:${local.arn}:event-source-mapping:*"]
      Action = [
        "lambda:DeleteEventSourceMapping",
        "lambda:GetEventSourceMapping",
        "lambda:ListTags",
        "lambda:TagResource",
        "lambda:UpdateEventSourceMapping",
      ]
      Condition = { ArnEquals = { "lambda:FunctionArn" = local.function_arns } }
    },

    {
      Sid       = "NewEventSources"
      Effect    = "Allow"
      Resource  = length(var.functions) == 0 ? [] : ["*"]
      Action    = ["lambda:CreateEventSourceMapping"]
      Condition = { ArnEquals = { "lambda:FunctionArn" = local.function_arns } }
    },

    # Lambda checks the network of a function with the rights of its creator.
    {
      Sid      = "NetworkOfTheFunctions"
      Effect   = "Allow"
      Resource = anytrue([for function in var.functions : function.security_group_id != null]) ? ["*"] : []
      Action   = ["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"]
    },
  ]

  function_arns = [for name in keys(var.functions) : "arn:aws:lambda:${local.arn}:function:${var.name}-${name}"]

  own = [
    {
      Sid      = "NoNarrowerResource"
      Effect   = "Allow"
      Resource = ["*"]
      Action = [
        "application-autoscaling:DescribeScalableTargets",
        "application-autoscaling:DescribeScalingPolicies",
        "ecr:GetAuthorizationToken",
        "ecs:DescribeTaskDefinition",
        "elasticloadbalancing:DescribeTargetGroups",
        "elasticloadbalancing:DescribeTargetHealth",
      ]
    },

    {
      Sid      = "Images"
      Effect   = "Allow"
      Resource = values(var.repository_arns)
      Action = [
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:CompleteLayerUpload",
        "ecr:DescribeImages",
        "ecr:GetDownloadUrlForLayer",
        "ecr:InitiateLayerUpload",
        "ecr:PutImage",
        "ecr:UploadLayerPart",
      ]
    },

    {
      Sid      = "Services"
      Effect   = "Allow"
      Resource = [for service in keys(var.access) : "arn:aws:ecs:${local.arn}:service/${var.cluster.name}/${service}"]
      Action = [
        "ecs:CreateService",
        "ecs:DeleteService",
        "ecs:DescribeServices",
        "ecs:TagResource",
        "ecs:UpdateService",
      ]
    },

    {
      Sid      = "TaskDefinitions"
      Effect   = "Allow"
      Resource = [for service in keys(var.access) : "arn:aws:ecs:${local.arn}:task-definition/${var.name}-${service}:*"]
      Action   = ["ecs:RegisterTaskDefinition", "ecs:TagResource"]
    },

    {
      Sid       = "Tasks"
      Effect    = "Allow"
      Resource  = ["arn:aws:ecs:${local.arn}:task/${var.cluster.name}/*", "arn:aws:ecs:${local.arn}:container-instance/${var.cluster.name}/*"]
      Action    = ["ecs:DescribeTasks", "ecs:ListTasks"]
      Condition = { ArnEquals = { "ecs:cluster" = [var.cluster.arn] } }
    },

    {
      Sid       = "RolesOfTheServices"
      Effect    = "Allow"
      Resource  = flatten([for access in var.access : [access.task_role_arn, access.execution_role_arn]])
      Action    = ["iam:PassRole"]
      Condition = { StringEquals = { "iam:PassedToService" = ["ecs-tasks.amazonaws.com"] } }
    },

    # AWS creates this role for the caller that scales the first service of an account.
    {
      Sid       = "RoleOfTheScaling"
      Effect    = "Allow"
      Resource  = ["arn:aws:iam::${var.account_id}:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService"]
      Action    = ["iam:CreateServiceLinkedRole"]
      Condition = { StringEquals = { "iam:AWSServiceName" = ["ecs.application-autoscaling.amazonaws.com"] } }
    },

    {
      Sid      = "Scaling"
      Effect   = "Allow"
      Resource = ["arn:aws:application-autoscaling:${local.arn}:scalable-target/*"]
      Action = [
        "application-autoscaling:DeleteScalingPolicy",
        "application-autoscaling:DeregisterScalableTarget",
        "application-autoscaling:ListTagsForResource",
        "application-autoscaling:PutScalingPolicy",
        "application-autoscaling:RegisterScalableTarget",
        "application-autoscaling:TagResource",
      ]
      Condition = { StringEquals = { "application-autoscaling:service-namespace" = ["ecs"] } }
    },

    {
      Sid    = "Alarms"
      Effect = "Allow"
      Resource = [
        "arn:aws:cloudwatch:${local.arn}:alarm:${var.name}-*",
        "arn:aws:cloudwatch::${var.account_id}:dashboard/${var.name}",
      ]
      Action = [
        "cloudwatch:DeleteAlarms",
        "cloudwatch:DeleteDashboards",
        "cloudwatch:DescribeAlarms",
        "cloudwatch:GetDashboard",
        "cloudwatch:ListTagsForResource",
        "cloudwatch:PutDashboard",
        "cloudwatch:PutMetricAlarm",
        "cloudwatch:TagResource",
      ]
    },

    {
      Sid      = "WhoIsTold"
      Effect   = "Allow"
      Resource = ["arn:aws:sns:${local.arn}:${var.name}-alarms", "arn:aws:sns:${local.arn}:${var.name}-alarms:*"]
      Action = [
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
    },

    {
      Sid      = "Budget"
      Effect   = "Allow"
      Resource = ["arn:aws:budgets::${var.account_id}:budget/${var.name}"]
      Action   = ["budgets:ListTagsForResource", "budgets:ModifyBudget", "budgets:TagResource", "budgets:ViewBudget"]
    },

    {
      Sid      = "WhyATaskEnded"
      Effect   = "Allow"
      Resource = [for access in var.access : "${access.log_group_arn}:log-stream:*"]
      Action   = ["logs:GetLogEvents"]
    },

    {
      Sid      = "ReadTheFoundation"
      Effect   = "Allow"
      Resource = ["arn:aws:s3:::${var.bucket}/${var.environment}/foundation.tfstate"]
      Action   = ["s3:GetObject"]
    },

    {
      Sid    = "StateAndRecordsOfReleases"
      Effect = "Allow"
      Resource = [
        "arn:aws:s3:::${var.bucket}/${var.environment}/release.tfstate",
        "arn:aws:s3:::${var.bucket}/${var.environment}/releases/*",
      ]
      Action = ["s3:GetObject", "s3:PutObject"]
    },

    # The bucket's policy lets this role alone write here, and never over an existing object.
    {
      Sid      = "RecordedEvidence"
      Effect   = "Allow"
      Resource = ["arn:aws:s3:::${var.bucket}/${var.environment}/evidence/*"]
      Action   = ["s3:GetObject", "s3:PutObject"]
    },

    {
      Sid    = "Locks"
      Effect = "Allow"
      Resource = [
        "arn:aws:s3:::${var.bucket}/${var.environment}/release.tfstate.tflock",
        "arn:aws:s3:::${var.bucket}/${var.environment}/releases/lock",
      ]
      Action = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
    },

    {
      Sid      = "WhatIsThere"
      Effect   = "Allow"
      Resource = ["arn:aws:s3:::${var.bucket}"]
      Action   = ["s3:ListBucket"]
      # Terraform looks for workspaces below the second prefix; there are none.
      Condition = { StringLike = { "s3:prefix" = ["${var.environment}/*", "env:/"] } }
    },
  ]
}
