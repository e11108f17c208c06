# The pods of both services: names, images, replicas and settings.

variable "kubernetes_namespace" {
  description = "The namespace of the workloads. It is created unless it is default."
  type        = string
  default     = "default"

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.kubernetes_namespace)) && !startswith(var.kubernetes_namespace, "kube-")
    error_message = "The namespace must be lower-case letters, digits and hyphens, and must not start with kube-."
  }
}

variable "intake_name" {
  description = "The intake's deployment, container and service account."
  type        = string
  default     = "processingrequests"

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,29}[a-z0-9])?$", var.intake_name))
    error_message = "The name must be at most 31 lower-case letters, digits and hyphens, and must start with a letter."
  }
}

variable "broker_name" {
  description = "The broker's deployment, container and service account."
  type        = string
  default     = "messagesbroker"

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,29}[a-z0-9])?$", var.broker_name)) && var.broker_name != var.intake_name
    error_message = "The name must be at most 31 lower-case letters, digits and hyphens, must start with a letter, and must not be intake_name."
  }
}

variable "image_pull_secret" {
  description = "The Kubernetes secret for pulling private images. Null: the images are public, or in this account's ECR."
  type        = string
  default     = null

  validation {
    condition     = var.image_pull_secret == null || can(regex("^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$", var.image_pull_secret))
    error_message = "The secret's name must be 1 to 253 lower-case letters, digits, dots and hyphens."
  }
}

variable "intake_replicas" {
  description = "The fewest pods of the intake, the autoscaler's minimum. With two, clients do not notice that a node is lost."
  type        = number
  default     = 1

  validation {
    condition     = var.intake_replicas >= 1
    error_message = "There must be at least 1."
  }
}

variable "intake_max_replicas" {
  description = "The most pods of the intake, the autoscaler's maximum."
  type        = number
  default     = 4

  validation {
    condition     = var.intake_max_replicas >= var.intake_replicas
    error_message = "The maximum must not be below intake_replicas."
  }
}

variable "broker_replicas" {
  description = "The fewest pods of the broker, the autoscaler's minimum."
  type        = number
  default     = 1

  validation {
    condition     = var.broker_replicas >= 1
    error_message = "There must be at least 1."
  }
}

variable "broker_max_replicas" {
  description = "The most pods of the broker, the autoscaler's maximum."
  type        = number
  default     = 4

  validation {
    condition     = var.broker_max_replicas >= var.broker_replicas
    error_message = "The maximum must not be below broker_replicas."
  }
}

variable "cpu_target_percent" {
  description = "CPU use in per cent of the request, above which the autoscaler adds a pod."
  type        = number
  default     = 70

  validation {
    condition     = var.cpu_target_percent >= 10 && var.cpu_target_percent <= 100
    error_message = "The target must be 10 to 100 per cent."
  }
}

variable "drain_seconds" {
  description = "Seconds after SIGTERM to finish what is in progress: DRAIN_SECONDS of the intake, GRACE_SECONDS of the broker."
  type        = number
  default     = 20

  validation {
    condition     = var.drain_seconds >= 1 && var.drain_seconds <= 600
    error_message = "The time must be 1 to 600 seconds."
  }
}

variable "log_level" {
  description = "The log level of both services; debug is one line per request or message."
  type        = string
  default     = "info"

  validation {
    condition     = contains(["debug", "info", "warning", "error"], var.log_level)
    error_message = "The level must be debug, info, warning or error."
  }
}

variable "monitoring_namespace" {
  description = "The namespace that may read metrics. It need not exist."
  type        = string
  default     = "monitoring"

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.monitoring_namespace))
    error_message = "The namespace must be lower-case letters, digits and hyphens."
  }
}

variable "keda_enabled" {
  description = "Whether KEDA scales the broker by the queue's length, instead of by CPU. KEDA must be installed first."
  type        = bool
  default     = false
}

variable "keda_messages_per_replica" {
  description = "The number of waiting messages per pod of the broker that KEDA aims at."
  type        = number
  default     = 1000

  validation {
    condition     = var.keda_messages_per_replica >= 1
    error_message = "The messages must be at least 1."
  }
}
