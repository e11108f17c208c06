# The queue, the dead-letter queue, and the alarms on both.

variable "queue_name" {
  description = "The queue between the services."
  type        = string
  default     = "my_sqs"

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,80}$", var.queue_name))
    error_message = "The queue's name must be 1 to 80 letters, digits, hyphens and underscores."
  }
}

variable "queue_visibility_seconds" {
  description = "Seconds for which a received message is hidden, unless the receiver sets its own timeout, as the broker does."
  type        = number
  default     = 30

  validation {
    condition     = var.queue_visibility_seconds >= 3 && var.queue_visibility_seconds <= 43200
    error_message = "The visibility timeout must be 3 to 43200 seconds."
  }
}

# SQS itself takes up to 1,048,576 bytes, and so do the services. Versions of the AWS provider below 6 refuse to set more
# than 262,144, and the EKS and VPC modules need such a version (terraform.tf).
variable "queue_max_message_bytes" {
  description = "The longest message that the queue and the dead-letter queue take, in bytes. The intake learns it from the queue and refuses longer requests."
  type        = number
  default     = 262144

  validation {
    condition     = var.queue_max_message_bytes >= 1024 && var.queue_max_message_bytes <= 262144
    error_message = "The longest message must have 1024 to 262144 bytes. SQS takes more, but version 5 of the AWS provider cannot set more."
  }
}

variable "queue_retention_seconds" {
  description = "Seconds after which SQS deletes a message. An outage of the archive must be shorter than this."
  type        = number
  default     = 345600

  validation {
    condition     = var.queue_retention_seconds >= 86400 && var.queue_retention_seconds <= 1209600
    error_message = "The retention must be 86400 (a day) to 1209600 (14 days) seconds."
  }
}

variable "queue_max_receives" {
  description = "Receives after which SQS itself moves a message to the dead-letter queue. sqs.tf says why 20."
  type        = number
  default     = 20

  validation {
    condition     = var.queue_max_receives >= 10 && var.queue_max_receives <= 1000
    error_message = "The receives must be 10 to 1000. With fewer, an outage of the archive would dead-letter good messages."
  }
}

variable "dead_letter_queue_name" {
  description = "The dead-letter queue, for messages that can never be archived."
  type        = string
  default     = "my_sqs_dead_letters"

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,80}$", var.dead_letter_queue_name)) && var.dead_letter_queue_name != var.queue_name
    error_message = "The dead-letter queue's name must be 1 to 80 letters, digits, hyphens and underscores, and not the queue's."
  }
}

variable "dead_letter_retention_seconds" {
  description = "Seconds for which dead letters are kept. 14 days is the maximum of SQS."
  type        = number
  default     = 1209600

  validation {
    condition     = var.dead_letter_retention_seconds >= var.queue_retention_seconds && var.dead_letter_retention_seconds <= 1209600
    error_message = "The retention of dead letters must be at least that of messages, and at most 1209600 seconds (14 days)."
  }
}

variable "oldest_message_alarm_seconds" {
  description = "The age of the oldest message, in seconds, above which the alarm is raised."
  type        = number
  default     = 900

  validation {
    condition     = var.oldest_message_alarm_seconds >= 60 && var.oldest_message_alarm_seconds < var.queue_retention_seconds
    error_message = "The age must be at least 60 seconds and below the queue's retention."
  }
}

variable "alarm_topic_name" {
  description = "The SNS topic that alarms are published to."
  type        = string
  default     = "checkpoint-alarms"

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,256}$", var.alarm_topic_name))
    error_message = "The topic's name must be 1 to 256 letters, digits, hyphens and underscores."
  }
}

variable "alarm_email" {
  description = "An e-mail address that alarms are sent to. AWS first sends it a link to confirm."
  type        = string
  default     = null

  validation {
    condition     = var.alarm_email == null || can(regex("^[^@[:space:]]+@[^@[:space:]]+$", var.alarm_email))
    error_message = "The alarms' address must be an e-mail address."
  }
}
