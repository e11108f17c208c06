# Where everything is put together. A file holds one concern; what this one holds is used by several of them.

provider "aws" {
  region = var.region

  default_tags {
    tags = {
      Project   = "checkpoint"
      ManagedBy = "terraform"
    }
  }
}

data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

locals {
  account_id = data.aws_caller_identity.this.account_id
  partition  = data.aws_partition.this.partition

  # Written out and not taken from the module: the roles that trust the cluster do not wait for it.
  cluster_arn = "arn:${local.partition}:eks:${var.region}:${local.account_id}:cluster/${var.cluster_name}"

  # The group, inside the cluster, of var.deployer_arn.
  deployers = "checkpoint:deployers"

  # Below which the e-mails lie, with its slash: "" or "mail/".
  archive_path = var.archive_prefix == "" ? "" : "${var.archive_prefix}/"

  # What the broker names its objects. What else lies in the bucket, it neither reads nor writes.
  emails = "${aws_s3_bucket.archive.arn}/${local.archive_path}sqs_message_*.json"

  # What one service knows of the other is the queue alone; so each reads its own parameters and has its own role.
  intake_parameters = [aws_ssm_parameter.token.arn, aws_ssm_parameter.queue_url.arn]
  broker_parameters = [aws_ssm_parameter.queue_url.arn, aws_ssm_parameter.archive_url.arn]
}
