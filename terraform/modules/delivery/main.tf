# Who may release: workflows of one repository, for one environment, with a role that can do what a promotion does.

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
  requires        = var.requires
}
