# A repository for each service. What is in it was tested, and is never replaced.

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

# A release names its image by digest and by a tag that is never moved, so an image in use always has a tag. Only what
# lost its push half-way has none.
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
