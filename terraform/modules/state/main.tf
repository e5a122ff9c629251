# The bucket that holds the state of every environment of one account, and the records of its releases.

resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV_AWS_144:one region; a state lost with its region describes resources that were lost with it
  #checkov:skip=CKV_AWS_18:CloudTrail records the readers of the state; a log bucket would need one of its own
  #checkov:skip=CKV2_AWS_62:no action follows a written state
  #checkov:skip=CKV_AWS_145:AWS's own key: a key of ours would be one more thing that can be deleted with all state in it
  bucket = var.bucket

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket = aws_s3_bucket.this.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    id     = "old-versions"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = 90
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

data "aws_iam_policy_document" "this" {
  statement {
    sid       = "RefusePlainHttp"
    effect    = "Deny"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"]
    resources = [aws_s3_bucket.this.arn, "${aws_s3_bucket.this.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }

  # Evidence is only as trustworthy as its writers. An administrator can change this policy, and CloudTrail
  # records the change.
  statement {
    sid       = "EvidenceByTheBuildServerOnly"
    effect    = "Deny"
    actions   = ["s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"]
    resources = ["${aws_s3_bucket.this.arn}/*/evidence/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "ArnNotLike"
      variable = "aws:PrincipalArn"
      values   = var.evidence_writers
    }
  }

  dynamic "statement" {
    for_each = length(var.readers) == 0 ? [] : [1]
    content {
      sid       = "ShipWhatIsLive"
      actions   = ["s3:GetObject"]
      resources = ["${aws_s3_bucket.this.arn}/*/releases/*", "${aws_s3_bucket.this.arn}/*/evidence/*"]

      principals {
        type        = "AWS"
        identifiers = local.reading_accounts
      }

      condition {
        test     = "ArnEquals"
        variable = "aws:PrincipalArn"
        values   = var.readers
      }
    }
  }

  dynamic "statement" {
    for_each = length(var.readers) == 0 ? [] : [1]
    content {
      sid       = "FindWhatIsLive"
      actions   = ["s3:ListBucket"]
      resources = [aws_s3_bucket.this.arn]

      principals {
        type        = "AWS"
        identifiers = local.reading_accounts
      }

      condition {
        test     = "ArnEquals"
        variable = "aws:PrincipalArn"
        values   = var.readers
      }

      condition {
        test     = "StringLike"
        variable = "s3:prefix"
        values   = ["*/releases/*", "*/evidence/*"]
      }
    }
  }
}

locals {
  # The account and not the role: an absent or recreated role would make the policy invalid.
  reading_accounts = distinct([for arn in var.readers : "arn:aws:iam::${split(":", arn)[4]}:root"])
}

resource "aws_s3_bucket_policy" "this" {
  bucket = aws_s3_bucket.this.id
  policy = data.aws_iam_policy_document.this.json

  depends_on = [aws_s3_bucket_public_access_block.this]
}
