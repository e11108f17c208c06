# The archive: one object per e-mail. The bucket's policy refuses an overwrite.

resource "aws_s3_bucket" "archive" {
  bucket        = var.bucket_name
  force_destroy = var.bucket_force_destroy
}

resource "aws_s3_bucket_public_access_block" "archive" {
  bucket                  = aws_s3_bucket.archive.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# Access control lists are off: only policies say who may read.
resource "aws_s3_bucket_ownership_controls" "archive" {
  bucket = aws_s3_bucket.archive.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "archive" {
  bucket = aws_s3_bucket.archive.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

# No service deletes objects. If a person deletes one by mistake, its version can be restored for a while.
resource "aws_s3_bucket_versioning" "archive" {
  bucket = aws_s3_bucket.archive.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "archive" {
  # Versioning has to be on before a rule can name versions.
  bucket = aws_s3_bucket_versioning.archive.bucket

  rule {
    id     = "expire-staging"
    status = "Enabled"

    filter {
      prefix = var.staging_prefix
    }
    expiration {
      days = var.staging_expiry_days
    }
  }

  rule {
    id     = "expire-leftovers"
    status = "Enabled"

    filter {}
    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
    noncurrent_version_expiration {
      noncurrent_days = var.noncurrent_version_days
    }
  }

  # By default S3 moves no object below 128 KB, because that would cost more than it saves.
  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html
  dynamic "rule" {
    for_each = var.archive_transition[*]

    content {
      id     = "transition-e-mails"
      status = "Enabled"

      filter {
        prefix = "${local.archive_path}sqs_message_"
      }
      transition {
        days          = rule.value.days
        storage_class = rule.value.storage_class
      }
    }
  }
}

locals {
  bucket_policy = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "DenyInsecureTransport"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = [aws_s3_bucket.archive.arn, "${aws_s3_bucket.archive.arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        # A put or a copy without If-None-Match would overwrite; with it, S3 answers 412 if the name is taken. The rule
        # holds for everybody, administrators too, but only for the names of e-mails: in a multipart upload only the
        # last call can carry the header, so a rule for the whole bucket would refuse every multipart upload to staging.
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
        Sid       = "DenyOverwrite"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:PutObject"
        Resource  = [local.emails]
        Condition = { Null = { "s3:if-none-match" = "true" } }
      },
    ]
  }
}

resource "aws_s3_bucket_policy" "archive" {
  bucket = aws_s3_bucket.archive.id
  policy = jsonencode(local.bucket_policy)

  # S3 answers 409 when both are set at the same time.
  depends_on = [aws_s3_bucket_public_access_block.archive]
}
