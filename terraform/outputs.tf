# Addresses, names and commands that are needed after an apply. None is secret: the token is in SSM and nowhere else.

locals {
  scheme      = var.load_balancer_certificate_arn == null ? "http" : "https"
  host        = var.service_host == null ? local.load_balancer_host : var.service_host
  service_url = "${local.scheme}://${local.host}:${var.service_port}/process_request"

  # Byte for byte the e-mail of the README and of docs/deploy.md. jsonencode would sort its members.
  email = "{\"email_subject\": \"Your Subject\", \"email_sender\": \"Your Sender\", \"email_timestream\": \"1706213694\", \"email_content\": \"Your Content\"}"
}

output "service_url" {
  description = "Where clients post e-mails. A new name takes some minutes to resolve everywhere."
  value       = local.service_url
}

output "load_balancer_host" {
  description = "The load balancer's name. Point a CNAME of yours at it, and use a certificate for that CNAME."
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
  description = "The command that points kubectl at the cluster."
  value       = "aws eks update-kubeconfig --region ${var.region} --name ${module.eks.cluster_name}"
}

output "post_command" {
  description = "The command that posts an e-mail; put the token in place of TOKEN."
  value       = "curl -X POST -H \"Content-Type: application/json\" -d '{\"data\": ${local.email}, \"token\": \"TOKEN\"}' ${local.service_url}"
}

output "archive_command" {
  description = "The command that lists the archive."
  value       = "aws s3 ls s3://${aws_s3_bucket.archive.bucket}/${local.archive_path}"
}
