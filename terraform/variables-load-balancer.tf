# The load balancer: its name, its port, its certificate, and who may reach it.

variable "intake_service_name" {
  description = "The Kubernetes service of the intake, of type LoadBalancer."
  type        = string
  default     = "processingrequestssvc"

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$", var.intake_service_name))
    error_message = "The name must be lower-case letters, digits and hyphens, and must start with a letter."
  }
}

variable "service_port" {
  description = "The port that clients post to."
  type        = number
  default     = 5001

  validation {
    condition     = var.service_port >= 1 && var.service_port <= 65535
    error_message = "The port must be 1 to 65535."
  }
}

variable "service_host" {
  description = "The host name that clients use, a CNAME of the load balancer. Null: the load balancer's own name, which no certificate covers."
  type        = string
  default     = null

  validation {
    condition     = var.service_host == null || can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]+$", var.service_host))
    error_message = "The host must be a domain name in lower case, as mail.example.com."
  }
}

variable "load_balancer_certificate_arn" {
  description = "An ACM certificate, for HTTPS. Without one, tokens and e-mails are sent unencrypted."
  type        = string
  default     = null

  validation {
    condition     = var.load_balancer_certificate_arn == null || can(regex("^arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/", var.load_balancer_certificate_arn))
    error_message = "The certificate must be the ARN of an ACM certificate."
  }
}

variable "load_balancer_source_ranges" {
  description = "The networks from which clients may reach the load balancer."
  type        = list(string)
  default     = ["0.0.0.0/0"]

  validation {
    condition     = length(var.load_balancer_source_ranges) > 0 && alltrue([for cidr in var.load_balancer_source_ranges : can(cidrhost(cidr, 0))])
    error_message = "Give at least one CIDR block, as 203.0.113.0/24."
  }
}
