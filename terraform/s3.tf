# The archive: one object an e-mail, created once and never overwritten, by the bucket's own rule.

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

# No object has an access list of its own: who may read is said in policies alone.
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

# No service deletes. Versions are for the person who does, by mistake: the object is there for a while longer.
resource "aws_s3_bucket_versioning" "archive" {
  bucket = aws_s3_bucket.archive.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "archive" {
  # S3 wants versioning settled before rules about versions.
  bucket = aws_s3_bucket_versioning.archive.bucket

  rule {
    id     = "what-is-staged-expires"
    status = "Enabled"

    filter {
      prefix = var.staging_prefix
    }
    expiration {
      days = var.staging_expiry_days
    }
  }

  rule {
    id     = "what-was-left-behind-goes"
    status = "Enabled"

    filter {}
    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
    noncurrent_version_expiration {
      noncurrent_days = var.noncurrent_version_days
    }
  }

  # S3 itself leaves objects below 128 KB where they are, unless told otherwise: moving one costs more than it saves.
  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html
  dynamic "rule" {
    for_each = var.archive_transition[*]

    content {
      id     = "e-mails-move-to-a-cheaper-class"
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
        Sid       = "NothingUnencryptedOnTheWay"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = [aws_s3_bucket.archive.arn, "${aws_s3_bucket.archive.arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        # A put or a copy without If-None-Match would overwrite; with it, S3 answers 412 where the name is taken. Nobody
        # is excepted, not even administrators. It holds for e-mails alone: in a multipart upload only the last call can
        # carry the header, so a rule for the whole bucket would keep people from staging in parts.
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
        Sid       = "NothingOverwritten"
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

  # Two settings of one bucket's access at the same time answer 409.
  depends_on = [aws_s3_bucket_public_access_block.archive]
}
