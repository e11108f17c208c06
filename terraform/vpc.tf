# A network of three zones: load balancers in the public subnets, nodes in the private ones.

data "aws_availability_zones" "this" {
  # Local zones have no EKS control plane, and neither have these three; an account sees each under a letter of its own.
  # https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html
  exclude_zone_ids = ["use1-az3", "usw1-az2", "cac1-az3"]

  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }

  lifecycle {
    postcondition {
      condition     = length(self.names) >= 3
      error_message = "The region has fewer than three zones where EKS runs; set region to another."
    }
  }
}

locals {
  zones = slice(data.aws_availability_zones.this.names, 0, 3)
}

module "vpc" {
  source  = "terraform-aws-modules/vpc/aws"
  version = "~> 5.21"

  name = var.cluster_name
  cidr = var.vpc_cidr
  azs  = local.zones

  # Of a /16: 4,094 addresses a private subnet, because every pod takes one; 254 a public one.
  private_subnets = [for number, _ in local.zones : cidrsubnet(var.vpc_cidr, 4, number)]
  public_subnets  = [for number, _ in local.zones : cidrsubnet(var.vpc_cidr, 8, number + 48)]

  enable_dns_hostnames = true
  enable_nat_gateway   = true
  single_nat_gateway   = var.single_nat_gateway

  # By these tags Kubernetes finds where a load balancer goes.
  # https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html
  public_subnet_tags  = { "kubernetes.io/role/elb" = "1" }
  private_subnet_tags = { "kubernetes.io/role/internal-elb" = "1" }
}

# The archive's traffic stays inside AWS and past the NAT gateway, which is paid by the byte; this costs nothing.
# https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-s3.html
resource "aws_vpc_endpoint" "s3" {
  vpc_id            = module.vpc.vpc_id
  service_name      = "com.amazonaws.${var.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = module.vpc.private_route_table_ids
}

# What runs in the network comes after all of it, and goes before any of it. By the subnets alone Terraform would not know
# that: a destroy would take the NAT gateway's route away from nodes whose pods are still finishing. And it comes after the
# look at who applies (eks-cluster.tf), which an apply of the cluster alone would leave out.
resource "terraform_data" "private_subnets" {
  input      = module.vpc.private_subnets
  depends_on = [module.vpc, aws_vpc_endpoint.s3, data.aws_iam_session_context.this]
}
