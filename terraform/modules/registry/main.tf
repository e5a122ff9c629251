# A repository for each service. Its images are tested, and never replaced.

resource "aws_ecr_repository" "this" {
  #checkov:skip=CKV_AWS_136:AWS's own key: nobody outside the account reads the images, and a key of ours can be lost
  for_each = var.services

  name                 = "${var.name}/${each.key}"
  image_tag_mutability = "IMMUTABLE"
  force_delete         = var.disposable

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "AES256"
  }
}

# A release names its image by digest and by a tag that is never moved, so an image in use always has a tag. Only an
# interrupted push leaves an image without one.
resource "aws_ecr_lifecycle_policy" "this" {
  for_each = aws_ecr_repository.this

  repository = each.value.name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Images without a tag belong to no release"
      selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 14 }
      action       = { type = "expire" }
    }]
  })
}

data "aws_iam_policy_document" "readers" {
  for_each = toset([for service in var.services : service if length(var.readers) > 0 || contains(keys(var.functions), service)])

  # Roles of other accounts that ship the live release pull its images from here, by digest.
  dynamic "statement" {
    for_each = length(var.readers) == 0 ? [] : [var.readers]
    content {
      sid     = "ShipWhatIsLive"
      actions = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]

      # The account and not the role: an absent or recreated role would make the policy invalid.
      principals {
        type        = "AWS"
        identifiers = distinct([for arn in statement.value : "arn:aws:iam::${split(":", arn)[4]}:root"])
      }

      condition {
        test     = "ArnEquals"
        variable = "aws:PrincipalArn"
        values   = statement.value
      }
    }
  }

  # Lambda pulls for its function, without a role.
  dynamic "statement" {
    for_each = contains(keys(var.functions), each.key) ? [var.functions[each.key]] : []
    content {
      sid     = "RunTheFunction"
      actions = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]

      principals {
        type        = "Service"
        identifiers = ["lambda.amazonaws.com"]
      }

      condition {
        test     = "ArnEquals"
        variable = "aws:SourceArn"
        values   = [statement.value]
      }
    }
  }
}

resource "aws_ecr_repository_policy" "readers" {
  for_each = data.aws_iam_policy_document.readers

  repository = aws_ecr_repository.this[each.key].name
  policy     = each.value.json
}
