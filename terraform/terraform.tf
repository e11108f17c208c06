# Tested with Terraform 1.11.4, the AWS provider 5.100, and the Kubernetes provider 2.36 and 2.38.
#   Terraform: 1.11 is the first version that can write the token to SSM without keeping it in the state (ssm.tf).
#   AWS: the EKS module 20 and the VPC module 5 need a version below 6.
#   Kubernetes: from 2.38 to 3.2.0, a deployment that is not ready in time makes every later plan fail. So use the newest.
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

  # The state is a local file until you copy backend.tf.example to backend.tf.
}
