# The cluster, its nodes, who may access it, and the IAM role of each service's pods.

# One run creates the resources in AWS and those in the cluster, so whoever applies has to administer the cluster.
data "aws_iam_session_context" "this" {
  arn = data.aws_caller_identity.this.arn

  lifecycle {
    postcondition {
      condition     = contains(var.admin_arns, self.issuer_arn)
      error_message = "admin_arns must contain ${self.issuer_arn}, which runs Terraform. Add it, and remove ARNs that do not exist."
    }
  }
}

locals {
  admins = { for arn in toset(var.admin_arns) : arn => {
    principal_arn = arn
    policy_associations = {
      admin = {
        policy_arn   = "arn:${local.partition}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
        access_scope = { type = "cluster" }
      }
    }
  } }
  deployer = { for arn in var.deployer_arn[*] : arn => {
    principal_arn     = arn
    kubernetes_groups = [local.deployers]
  } }
}

module "eks" {
  source  = "terraform-aws-modules/eks/aws"
  version = "~> 20.37"

  cluster_name              = var.cluster_name
  cluster_version           = var.cluster_version
  cluster_service_ipv4_cidr = var.service_cidr
  vpc_id                    = module.vpc.vpc_id
  subnet_ids                = terraform_data.private_subnets.output

  # The API is public, because kubectl and the deploy pipelines are outside. Nodes reach it inside the network.
  cluster_endpoint_public_access       = true
  cluster_endpoint_public_access_cidrs = var.cluster_public_access_cidrs

  # By the module's defaults only the person who applies would be an admin, and the next person's apply would replace
  # them. So admins are listed. The pipelines' identity gets a group, whose rights are in deployer.tf.
  enable_cluster_creator_admin_permissions = false
  kms_key_administrators                   = keys(local.admins)
  access_entries                           = merge(local.admins, local.deployer)

  cluster_addons = {
    coredns    = {}
    kube-proxy = {}
    vpc-cni = {
      before_compute = true
      # Off by default, and without it network policies exist but are not enforced.
      # https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy-configure.html
      configuration_values = jsonencode({ enableNetworkPolicy = "true" })
    }
    eks-pod-identity-agent = { before_compute = true }
    metrics-server         = {} # the autoscalers read it
  }

  eks_managed_node_groups = {
    default = {
      ami_type       = "AL2023_x86_64_STANDARD"
      instance_types = var.node_instance_types
      desired_size   = var.node_count
      min_size       = var.node_count
      max_size       = var.node_max_count

      # With one hop the metadata service answers the node only: no pod can get the node's role from it.
      # https://docs.aws.amazon.com/eks/latest/best-practices/identity-and-access-management.html
      metadata_options = {
        http_endpoint               = "enabled"
        http_tokens                 = "required"
        http_put_response_hop_limit = 1
      }
    }
  }

  node_security_group_additional_rules = {
    # The port of the metrics-server add-on, which the API server calls.
    ingress_cluster_10251_webhook = {
      description                   = "Cluster API to metrics-server"
      type                          = "ingress"
      protocol                      = "tcp"
      from_port                     = 10251
      to_port                       = 10251
      source_cluster_security_group = true
    }
  }
}

resource "aws_eks_pod_identity_association" "intake" {
  cluster_name    = module.eks.cluster_name
  namespace       = var.kubernetes_namespace
  service_account = var.intake_name
  role_arn        = aws_iam_role.intake.arn
}

resource "aws_eks_pod_identity_association" "broker" {
  cluster_name    = module.eks.cluster_name
  namespace       = var.kubernetes_namespace
  service_account = var.broker_name
  role_arn        = aws_iam_role.broker.arn
}
