# The archive's bucket.

variable "bucket_name" {
  description = "The archive's bucket; such a name is unique over all of AWS, so that the default may be taken."
  type        = string
  default     = "messages-bucket-checkpoint-assignment"

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.bucket_name))
    error_message = "The bucket's name must be 3 to 63 lower-case letters, digits and hyphens, a hyphen neither first nor last."
  }
}

variable "archive_prefix" {
  description = "Below which prefix the e-mails lie, without slashes at its ends; empty: at the top of the bucket."
  type        = string
  default     = ""

  validation {
    condition     = var.archive_prefix == "" || can(regex("^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$", var.archive_prefix))
    error_message = "The prefix must be letters, digits, hyphens and underscores, with single slashes between them only."
  }
}

variable "staging_prefix" {
  description = "Objects below this prefix expire. The services stage nothing on S3; it is for those who import or export."
  type        = string
  default     = "staging/"

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*/$", var.staging_prefix))
    error_message = "The staging prefix must end with a slash, and not begin with one."
  }
  validation {
    condition     = !startswith("${var.archive_prefix}/", var.staging_prefix)
    error_message = "The archive must not lie below the staging prefix: the e-mails would expire."
  }
}

variable "staging_expiry_days" {
  description = "After how many days objects below the staging prefix expire."
  type        = number
  default     = 7

  validation {
    condition     = var.staging_expiry_days >= 1
    error_message = "The days must be at least 1."
  }
}

variable "noncurrent_version_days" {
  description = "For how many days an object that somebody has deleted can be brought back."
  type        = number
  default     = 90

  validation {
    condition     = var.noncurrent_version_days >= 1
    error_message = "The days must be at least 1."
  }
}

# The broker compares what it archives with what is there, so an e-mail has to be readable at once. INTELLIGENT_TIERING is,
# as long as nobody adds its archive access tiers to the bucket.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html
variable "archive_transition" {
  description = "After how many days e-mails of 128 KB and more move to which cheaper class; null: never."
  type = object({
    days          = number
    storage_class = string
  })
  default = null

  validation {
    condition     = var.archive_transition == null || contains(["STANDARD_IA", "INTELLIGENT_TIERING", "GLACIER_IR"], try(var.archive_transition.storage_class, ""))
    error_message = "The class must be STANDARD_IA, INTELLIGENT_TIERING or GLACIER_IR: others have to be restored before the broker can read them, or are lost with their zone."
  }
  validation {
    condition     = try(var.archive_transition.days, 30) >= 30
    error_message = "The days must be at least 30, which STANDARD_IA asks for."
  }
}

variable "bucket_force_destroy" {
  description = "Whether destroying the bucket destroys the e-mails in it; otherwise a bucket that holds any stays."
  type        = bool
  default     = false
}
