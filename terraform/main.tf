# What several files use. Each other file holds one concern.

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

  # Composed here and not taken from the module, so that the roles do not wait for the cluster.
  cluster_arn = "arn:${local.partition}:eks:${var.region}:${local.account_id}:cluster/${var.cluster_name}"

  # The group of var.deployer_arn inside the cluster.
  deployers = "checkpoint:deployers"

  # The prefix of the e-mails with its slash: "" or "mail/".
  archive_path = var.archive_prefix == "" ? "" : "${var.archive_prefix}/"

  # The names of the broker's objects. It neither reads nor writes anything else in the bucket.
  emails = "${aws_s3_bucket.archive.arn}/${local.archive_path}sqs_message_*.json"

  # The services share only the queue, so each has its own role and reads only its own parameters.
  intake_parameters = [aws_ssm_parameter.token.arn, aws_ssm_parameter.queue_url.arn]
  broker_parameters = [aws_ssm_parameter.queue_url.arn, aws_ssm_parameter.archive_url.arn]
}
