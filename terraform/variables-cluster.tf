# The network, the cluster, its nodes, and who may do what in it.

variable "vpc_cidr" {
  description = "The network's addresses: a /16, of which the nodes and every pod get one each."
  type        = string
  default     = "10.0.0.0/16"

  validation {
    condition     = can(cidrhost(var.vpc_cidr, 0)) && endswith(var.vpc_cidr, "/16")
    error_message = "The network must be an IPv4 CIDR block of the size /16."
  }
}

variable "service_cidr" {
  description = "Addresses of services inside the cluster; no network of yours may use them."
  type        = string
  default     = "172.20.0.0/16"

  validation {
    condition     = can(cidrhost(var.service_cidr, 0))
    error_message = "The service addresses must be an IPv4 CIDR block."
  }
}

variable "single_nat_gateway" {
  description = "One NAT gateway for all zones, at a third of the price; when its zone fails, nodes of others are cut off."
  type        = bool
  default     = true
}

variable "cluster_name" {
  description = "The cluster; also the network's name, and what the names of the services' roles begin with."
  type        = string
  default     = "checkpoint"

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9-]{0,28}$", var.cluster_name))
    error_message = "The cluster's name must be 1 to 29 letters, digits and hyphens, the first no hyphen: a role's name is made of it."
  }
}

variable "cluster_version" {
  description = "Kubernetes' version; EKS takes one step at a time upwards."
  type        = string
  default     = "1.35"

  validation {
    condition     = can(regex("^1\\.(3[0-9]|[4-9][0-9])$", var.cluster_version))
    error_message = "The version must be 1.30 or later, without a patch level."
  }
}

variable "cluster_public_access_cidrs" {
  description = "From where kubectl and the deploy pipelines may reach the cluster's API; credentials are needed besides."
  type        = list(string)
  default     = ["0.0.0.0/0"]

  validation {
    condition     = length(var.cluster_public_access_cidrs) > 0 && alltrue([for cidr in var.cluster_public_access_cidrs : can(cidrhost(cidr, 0))])
    error_message = "At least one CIDR block is needed, and each must be one."
  }
}

variable "deployer_arn" {
  description = "The IAM user or role of the deploy pipelines: it may set the image of both deployments, and no more."
  type        = string
  default     = null

  validation {
    condition     = var.deployer_arn == null || can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:(user|role)/", var.deployer_arn))
    error_message = "The deployer must be the ARN of an IAM user or role."
  }
  validation {
    condition     = var.deployer_arn == null || !contains(var.admin_arns, coalesce(var.deployer_arn, "none"))
    error_message = "The deployer must not be one of admin_arns: the pipelines would administer the cluster."
  }
}

variable "node_instance_types" {
  description = "What the nodes are; of x86-64, as the machine image is."
  type        = list(string)
  default     = ["t3.medium"]

  validation {
    condition     = length(var.node_instance_types) > 0
    error_message = "At least one instance type is needed."
  }
}

variable "node_count" {
  description = "Nodes, spread over the zones."
  type        = number
  default     = 3

  validation {
    condition     = var.node_count >= 1 && floor(var.node_count) == var.node_count
    error_message = "The count of nodes must be a whole number of at least 1."
  }
}

variable "node_max_count" {
  description = "To how many nodes the group may be scaled; upgrades take one more for a while."
  type        = number
  default     = 6

  validation {
    condition     = var.node_max_count >= var.node_count
    error_message = "The nodes' maximum must not be below their count."
  }
}
