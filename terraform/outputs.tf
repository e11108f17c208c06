# What to look at, and what to type next. Nothing here is secret: the token is in SSM and nowhere else.

locals {
  scheme      = var.load_balancer_certificate_arn == null ? "http" : "https"
  host        = var.service_host == null ? local.load_balancer_host : var.service_host
  service_url = "${local.scheme}://${local.host}:${var.service_port}/process_request"

  # Byte for byte the e-mail of the README and the guide. Made by jsonencode, which sorts members, it would be another one.
  email = "{\"email_subject\": \"Your Subject\", \"email_sender\": \"Your Sender\", \"email_timestream\": \"1706213694\", \"email_content\": \"Your Content\"}"
}

output "service_url" {
  description = "Where clients post e-mails; the name takes some minutes to be known everywhere."
  value       = local.service_url
}

output "load_balancer_host" {
  description = "Where a name of yours has to lead, as a CNAME; the certificate then has to be for that name."
  value       = local.load_balancer_host
}

output "bucket" {
  description = "The archive's bucket."
  value       = aws_s3_bucket.archive.bucket
}

output "queue_url" {
  description = "The queue between the services."
  value       = aws_sqs_queue.main.url
}

output "dead_letter_queue_url" {
  description = "The queue for messages that can never be archived."
  value       = aws_sqs_queue.dead_letters.url
}

output "cluster_name" {
  description = "The EKS cluster."
  value       = module.eks.cluster_name
}

output "kubeconfig_command" {
  description = "Type this to have kubectl speak to the cluster."
  value       = "aws eks update-kubeconfig --region ${var.region} --name ${module.eks.cluster_name}"
}

output "post_command" {
  description = "Type this, with the token in place of TOKEN, to post an e-mail."
  value       = "curl -X POST -H \"Content-Type: application/json\" -d '{\"data\": ${local.email}, \"token\": \"TOKEN\"}' ${local.service_url}"
}

output "archive_command" {
  description = "Type this to see what has been archived."
  value       = "aws s3 ls s3://${aws_s3_bucket.archive.bucket}/${local.archive_path}"
}
