# The network, the cluster, its nodes, and who may access it.

variable "vpc_cidr" {
  description = "The network's addresses, a /16. Each node and each pod takes one."
  type        = string
  default     = "10.0.0.0/16"

  validation {
    condition     = can(cidrhost(var.vpc_cidr, 0)) && endswith(var.vpc_cidr, "/16")
    error_message = "The network must be an IPv4 CIDR block of the size /16."
  }
}

variable "service_cidr" {
  description = "Addresses of services inside the cluster. No network of yours may use them."
  type        = string
  default     = "172.20.0.0/16"

  validation {
    condition     = can(cidrhost(var.service_cidr, 0))
    error_message = "The service addresses must be an IPv4 CIDR block."
  }
}

variable "single_nat_gateway" {
  description = "One NAT gateway for all zones, at a third of the price. If its zone fails, nodes in other zones lose the internet."
  type        = bool
  default     = true
}

variable "cluster_name" {
  description = "The cluster's name, also the network's name and the prefix of the services' roles."
  type        = string
  default     = "checkpoint"

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9-]{0,28}$", var.cluster_name))
    error_message = "The cluster's name must be 1 to 29 letters, digits and hyphens, and must not start with a hyphen: the names of roles start with it."
  }
}

variable "cluster_version" {
  description = "The version of Kubernetes. EKS upgrades by one minor version at a time."
  type        = string
  default     = "1.35"

  validation {
    condition     = can(regex("^1\\.(3[0-9]|[4-9][0-9])$", var.cluster_version))
    error_message = "The version must be 1.30 or later, without a patch level."
  }
}

variable "cluster_public_access_cidrs" {
  description = "The networks from which the cluster's API can be reached, by kubectl and the deploy pipelines. It asks for credentials too."
  type        = list(string)
  default     = ["0.0.0.0/0"]

  validation {
    condition     = length(var.cluster_public_access_cidrs) > 0 && alltrue([for cidr in var.cluster_public_access_cidrs : can(cidrhost(cidr, 0))])
    error_message = "Give at least one CIDR block, as 203.0.113.0/24."
  }
}

variable "deployer_arn" {
  description = "The IAM user or role of the deploy pipelines. It may set the image of both deployments, and no more."
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
  description = "The nodes' EC2 instance types. They must be x86-64, as the machine image is."
  type        = list(string)
  default     = ["t3.medium"]

  validation {
    condition     = length(var.node_instance_types) > 0
    error_message = "At least one instance type is needed."
  }
}

variable "node_count" {
  description = "The number of nodes, spread over the zones."
  type        = number
  default     = 3

  validation {
    condition     = var.node_count >= 1 && floor(var.node_count) == var.node_count
    error_message = "The number of nodes must be a whole number of at least 1."
  }
}

variable "node_max_count" {
  description = "The most nodes that the group may be scaled to. Upgrades use one more for a while."
  type        = number
  default     = 6

  validation {
    condition     = var.node_max_count >= var.node_count
    error_message = "The maximum must not be below node_count."
  }
}
