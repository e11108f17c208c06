# The archive's bucket.

variable "bucket_name" {
  description = "The archive's bucket. Bucket names are unique over all of AWS, so the default may be taken."
  type        = string
  default     = "messages-bucket-checkpoint-assignment"

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.bucket_name))
    error_message = "The bucket's name must be 3 to 63 lower-case letters, digits and hyphens, and must not start or end with a hyphen."
  }
}

variable "archive_prefix" {
  description = "The prefix of the e-mails in the bucket, without slashes at its ends. Empty: no prefix."
  type        = string
  default     = ""

  validation {
    condition     = var.archive_prefix == "" || can(regex("^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$", var.archive_prefix))
    error_message = "The prefix must be letters, digits, hyphens and underscores, with single slashes between them, and none at its ends."
  }
}

variable "staging_prefix" {
  description = "Objects below this prefix expire. The services do not use it; it is for imports and exports by hand."
  type        = string
  default     = "staging/"

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*/$", var.staging_prefix))
    error_message = "The staging prefix must end with a slash, and must not start with one."
  }
  validation {
    condition     = !startswith("${var.archive_prefix}/", var.staging_prefix)
    error_message = "The archive's prefix must not be below the staging prefix: the e-mails would expire."
  }
}

variable "staging_expiry_days" {
  description = "Days after which objects below the staging prefix expire."
  type        = number
  default     = 7

  validation {
    condition     = var.staging_expiry_days >= 1
    error_message = "The days must be at least 1."
  }
}

variable "noncurrent_version_days" {
  description = "Days for which a deleted object can be restored."
  type        = number
  default     = 90

  validation {
    condition     = var.noncurrent_version_days >= 1
    error_message = "The days must be at least 1."
  }
}

# The broker compares by an object's head, which every class gives. But whoever reads an archived class must restore each
# e-mail first, so these are left out. INTELLIGENT_TIERING can be read at once, unless somebody adds its archive access
# tiers to the bucket.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html
variable "archive_transition" {
  description = "Days after which e-mails of 128 KB and more move to a cheaper storage class, and which one. Null: never."
  type = object({
    days          = number
    storage_class = string
  })
  default = null

  validation {
    condition     = var.archive_transition == null || contains(["STANDARD_IA", "INTELLIGENT_TIERING", "GLACIER_IR"], try(var.archive_transition.storage_class, ""))
    error_message = "The class must be STANDARD_IA, INTELLIGENT_TIERING or GLACIER_IR: objects of other classes must be restored before they can be read, or are lost with their zone."
  }
  validation {
    condition     = try(var.archive_transition.days, 30) >= 30
    error_message = "The days must be at least 30, the minimum of STANDARD_IA."
  }
}

variable "bucket_force_destroy" {
  description = "Whether `terraform destroy` also deletes the e-mails in the bucket. If not, it fails while the bucket holds any."
  type        = bool
  default     = false
}
