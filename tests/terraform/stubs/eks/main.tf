# Stands in for terraform-aws-modules/eks/aws 20.37: the inputs that terraform/ sets and the outputs that it reads.

variable "cluster_name" { type = string }
variable "cluster_version" { type = string }
variable "cluster_service_ipv4_cidr" { type = string }
variable "vpc_id" { type = string }
variable "subnet_ids" { type = list(string) }
variable "cluster_endpoint_public_access" { type = bool }
variable "cluster_endpoint_public_access_cidrs" { type = list(string) }
variable "enable_cluster_creator_admin_permissions" { type = bool }
variable "kms_key_administrators" { type = list(string) }
variable "access_entries" { type = any }
variable "cluster_addons" { type = any }
variable "eks_managed_node_groups" { type = any }
variable "node_security_group_additional_rules" { type = any }

# Destroying the nodes takes minutes, while pods still run on them.
resource "terraform_data" "nodes" {
  input = var.subnet_ids
}

output "cluster_name" { value = var.cluster_name }
output "cluster_endpoint" { value = "https://0123456789ABCDEF.gr7.us-east-1.eks.amazonaws.com" }
output "cluster_certificate_authority_data" { value = base64encode("a certificate") }

# The inputs, for the tests.
output "asked" {
  value = {
    cluster_version                          = var.cluster_version
    cluster_service_ipv4_cidr                = var.cluster_service_ipv4_cidr
    subnet_ids                               = var.subnet_ids
    cluster_endpoint_public_access_cidrs     = var.cluster_endpoint_public_access_cidrs
    enable_cluster_creator_admin_permissions = var.enable_cluster_creator_admin_permissions
    kms_key_administrators                   = var.kms_key_administrators
    access_entries                           = var.access_entries
    cluster_addons                           = var.cluster_addons
    eks_managed_node_groups                  = var.eks_managed_node_groups
    node_security_group_additional_rules     = var.node_security_group_additional_rules
  }
}
