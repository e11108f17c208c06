# The pods of both services: their names, their images, how many there are, and what they are told.

variable "kubernetes_namespace" {
  description = "The namespace of the workloads; another than default is created."
  type        = string
  default     = "default"

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.kubernetes_namespace)) && !startswith(var.kubernetes_namespace, "kube-")
    error_message = "The namespace must be lower-case letters, digits and hyphens, and none of Kubernetes' own."
  }
}

variable "intake_name" {
  description = "The intake's deployment, container and service account."
  type        = string
  default     = "processingrequests"

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,29}[a-z0-9])?$", var.intake_name))
    error_message = "The name must be at most 31 lower-case letters, digits and hyphens, the first a letter."
  }
}

variable "broker_name" {
  description = "The broker's deployment, container and service account."
  type        = string
  default     = "messagesbroker"

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,29}[a-z0-9])?$", var.broker_name)) && var.broker_name != var.intake_name
    error_message = "The name must be at most 31 lower-case letters, digits and hyphens, the first a letter, and not the intake's."
  }
}

variable "image_pull_secret" {
  description = "The Kubernetes secret with which private images are pulled; null: they are public, or in this account's ECR."
  type        = string
  default     = null

  validation {
    condition     = var.image_pull_secret == null || can(regex("^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$", var.image_pull_secret))
    error_message = "The secret's name must be 1 to 253 lower-case letters, digits, dots and hyphens."
  }
}

variable "intake_replicas" {
  description = "Pods of the intake, at least: the autoscaler's minimum. With two, a node's end is not noticed."
  type        = number
  default     = 1

  validation {
    condition     = var.intake_replicas >= 1
    error_message = "There must be at least 1."
  }
}

variable "intake_max_replicas" {
  description = "Pods of the intake, at most."
  type        = number
  default     = 4

  validation {
    condition     = var.intake_max_replicas >= var.intake_replicas
    error_message = "The intake's maximum must not be below its minimum."
  }
}

variable "broker_replicas" {
  description = "Pods of the broker, at least."
  type        = number
  default     = 1

  validation {
    condition     = var.broker_replicas >= 1
    error_message = "There must be at least 1."
  }
}

variable "broker_max_replicas" {
  description = "Pods of the broker, at most."
  type        = number
  default     = 4

  validation {
    condition     = var.broker_max_replicas >= var.broker_replicas
    error_message = "The broker's maximum must not be below its minimum."
  }
}

variable "cpu_target_percent" {
  description = "Above which use of the requested processor time another pod is started."
  type        = number
  default     = 70

  validation {
    condition     = var.cpu_target_percent >= 10 && var.cpu_target_percent <= 100
    error_message = "The target must be 10 to 100 per cent."
  }
}

variable "drain_seconds" {
  description = "After SIGTERM, for what is under way to be finished: DRAIN_SECONDS and GRACE_SECONDS of the services."
  type        = number
  default     = 20

  validation {
    condition     = var.drain_seconds >= 1 && var.drain_seconds <= 600
    error_message = "The time must be 1 to 600 seconds."
  }
}

variable "log_level" {
  description = "What both services log: debug is a line a request or message."
  type        = string
  default     = "info"

  validation {
    condition     = contains(["debug", "info", "warning", "error"], var.log_level)
    error_message = "The level must be debug, info, warning or error."
  }
}

variable "monitoring_namespace" {
  description = "From which namespace metrics may be read; there need not be one."
  type        = string
  default     = "monitoring"

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.monitoring_namespace))
    error_message = "The namespace must be lower-case letters, digits and hyphens."
  }
}

variable "keda_enabled" {
  description = "Scale the broker by the queue's length instead of by processor time. KEDA must be in the cluster before."
  type        = bool
  default     = false
}

variable "keda_messages_per_replica" {
  description = "For how many waiting messages KEDA starts another broker."
  type        = number
  default     = 1000

  validation {
    condition     = var.keda_messages_per_replica >= 1
    error_message = "The messages must be at least 1."
  }
}
