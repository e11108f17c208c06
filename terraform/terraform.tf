# Run with Terraform 1.11.4 (1.11 is the first that can hand the token to SSM without keeping it: ssm.tf), with the AWS
# provider 5.100 (the EKS module 20 and the VPC module 5 want it below 6), and with the Kubernetes provider 2.36 and 2.38.
# Of that one the newest is taken: with 2.38 to 3.2.0, a deployment that was not ready in time stops every later plan.
# https://github.com/hashicorp/terraform-provider-kubernetes/pull/2859
terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.95, < 6"
    }
    kubernetes = {
      source  = "hashicorp/kubernetes"
      version = ">= 2.36, < 4"
    }
  }

  # The state is a local file until backend.tf.example becomes backend.tf.
}
