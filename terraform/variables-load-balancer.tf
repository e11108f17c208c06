# What clients reach, and from where.

variable "intake_service_name" {
  description = "The service that leads from the load balancer to the intake."
  type        = string
  default     = "processingrequestssvc"

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$", var.intake_service_name))
    error_message = "The name must be lower-case letters, digits and hyphens, the first a letter."
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
  description = "The name that clients use, yours, leading to the load balancer; null: the load balancer's own. No certificate names that."
  type        = string
  default     = null

  validation {
    condition     = var.service_host == null || can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]+$", var.service_host))
    error_message = "The host must be a name in lower case, as mail.example.com."
  }
}

variable "load_balancer_certificate_arn" {
  description = "A certificate of ACM: the load balancer then speaks HTTPS. Without, tokens and e-mails travel in the clear."
  type        = string
  default     = null

  validation {
    condition     = var.load_balancer_certificate_arn == null || can(regex("^arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/", var.load_balancer_certificate_arn))
    error_message = "The certificate must be the ARN of one in ACM."
  }
}

variable "load_balancer_source_ranges" {
  description = "From where clients may reach the load balancer."
  type        = list(string)
  default     = ["0.0.0.0/0"]

  validation {
    condition     = length(var.load_balancer_source_ranges) > 0 && alltrue([for cidr in var.load_balancer_source_ranges : can(cidrhost(cidr, 0))])
    error_message = "At least one CIDR block is needed, and each must be one."
  }
}
