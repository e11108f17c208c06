# Settings that the services read from SSM. Their environment names the parameter, as in TOKEN=ssm:/checkpoint/token.

# The value is write-only: the token is neither in the state nor in a plan. So Terraform cannot see that it changed, and
# writes it again only when token_version changes. A rotation by `aws ssm put-parameter --overwrite` is not undone.
# https://developer.hashicorp.com/terraform/language/resources/ephemeral/write-only
resource "aws_ssm_parameter" "token" {
  name             = "${var.parameter_prefix}/token"
  description      = "Tokens that clients may present, separated by commas. The intake reads them again while it runs."
  type             = "SecureString"
  key_id           = var.token_kms_key_arn
  value_wo         = var.token
  value_wo_version = var.token_version

  # On any other change the provider would send an empty value, which SSM refuses.
  # https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/ssm/parameter.go
  lifecycle {
    ignore_changes = [description, key_id]
  }
}

resource "aws_ssm_parameter" "queue_url" {
  name        = "${var.parameter_prefix}/sqs_queue_url"
  description = "The queue between the services"
  type        = "String"
  value       = aws_sqs_queue.main.url
}

resource "aws_ssm_parameter" "archive_url" {
  name        = "${var.parameter_prefix}/archive_url"
  description = "Where the e-mails are archived"
  type        = "String"
  value       = trimsuffix("s3://${aws_s3_bucket.archive.bucket}/${var.archive_prefix}", "/")
}
