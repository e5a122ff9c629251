# The right to release: workflows of one repository, for one environment, with the role of a promotion.

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

    # Only a job in the environment has this subject; GitHub enforces the environment's rules.
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
  policy = module.rights.policy
}

module "rights" {
  source = "./rights"

  name            = var.name
  environment     = var.environment
  region          = var.region
  account_id      = var.account_id
  bucket          = var.bucket
  cluster         = var.cluster
  repository_arns = var.repository_arns
  access          = var.access
  functions       = var.functions
  requires        = var.requires
}
