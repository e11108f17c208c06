# A network of three zones: load balancers in the public subnets, nodes in the private ones.

data "aws_availability_zones" "this" {
  # EKS does not run in local zones, nor in these three. They are named by ID, because the letter of a zone differs
  # between accounts.
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

  # Of a /16: 4,094 addresses per private subnet, because every pod takes one, and 254 per public subnet.
  private_subnets = [for number, _ in local.zones : cidrsubnet(var.vpc_cidr, 4, number)]
  public_subnets  = [for number, _ in local.zones : cidrsubnet(var.vpc_cidr, 8, number + 48)]

  enable_dns_hostnames = true
  enable_nat_gateway   = true
  single_nat_gateway   = var.single_nat_gateway

  # Kubernetes finds the subnets of a load balancer by these tags.
  # https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html
  public_subnet_tags  = { "kubernetes.io/role/elb" = "1" }
  private_subnet_tags = { "kubernetes.io/role/internal-elb" = "1" }
}

# A gateway endpoint is free. Traffic to the archive uses it instead of the NAT gateway, which is billed by the byte.
# https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-s3.html
resource "aws_vpc_endpoint" "s3" {
  vpc_id            = module.vpc.vpc_id
  service_name      = "com.amazonaws.${var.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = module.vpc.private_route_table_ids
}

# The cluster depends on the whole network through this resource: it is created after all of the network, and destroyed
# before any of it. If it depended on the subnets alone, a destroy could remove the NAT gateway's route while pods are
# still finishing. It also depends on the check of who applies (eks-cluster.tf), so that an apply of the cluster alone
# makes that check too.
resource "terraform_data" "private_subnets" {
  input      = module.vpc.private_subnets
  depends_on = [module.vpc, aws_vpc_endpoint.s3, data.aws_iam_session_context.this]
}
