# Versions are those this was run with: Terraform 1.11.4 and the AWS provider 5.100. Terraform 1.11 is the first that can
# hand the token to SSM without keeping it (ssm.tf). The EKS module 20 and the VPC module 5 want the provider below 6.
terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.95, < 6"
    }
    kubernetes = {
      source  = "hashicorp/kubernetes"
      version = "~> 2.36"
    }
  }

  # The state is a local file until backend.tf.example becomes backend.tf.
}
