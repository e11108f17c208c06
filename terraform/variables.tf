# Variables without a default, the region, and what is in SSM. The files variables-*.tf hold the rest, all with
# defaults.

variable "token" {
  description = "Tokens that clients may present, separated by commas. They are stored in SSM and nowhere else. Set TF_VAR_token."
  type        = string
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = can(regex("^[!-~]{6,}$", var.token)) && length(var.token) <= 4096 && !can(regex("(^,|,,|,$)", var.token))
    error_message = "The token must be 6 to 4096 visible ASCII characters. Separate several tokens by single commas."
  }
}

variable "image_namespace" {
  description = "Where the images are: an account on Docker Hub, or a registry's address with a path."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9._/:-]*[a-z0-9])?$", var.image_namespace))
    error_message = "The image namespace must be in lower case, and must not start or end with a slash: my-account."
  }
}

variable "intake_image_tag" {
  description = "The tag of the intake's first pods, from the summary of its build. Deploys set later ones."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}(@sha256:[0-9a-f]{64})?$", var.intake_image_tag)) && var.intake_image_tag != "latest"
    error_message = "The tag must be one that does not move, as 1.0.42; latest moves. @sha256:<digest> may follow."
  }
}

variable "broker_image_tag" {
  description = "The tag of the broker's first pods, from the summary of its build. Deploys set later ones."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}(@sha256:[0-9a-f]{64})?$", var.broker_image_tag)) && var.broker_image_tag != "latest"
    error_message = "The tag must be one that does not move, as 1.0.42; latest moves. @sha256:<digest> may follow."
  }
}

variable "admin_arns" {
  description = "The IAM users and roles that may run Terraform and administer the cluster. Best: one role that everybody assumes."
  type        = list(string)

  validation {
    condition     = length(var.admin_arns) > 0 && alltrue([for arn in var.admin_arns : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:(root$|user/|role/)", arn))])
    error_message = "The admins must be at least one ARN of an IAM user or role. For the session of a role, give the role's ARN: arn:aws:iam::123456789012:role/admins."
  }
}

variable "region" {
  description = "The AWS region."
  type        = string
  default     = "us-east-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "The region must be the name of an AWS region, as us-east-1."
  }
}

variable "parameter_prefix" {
  description = "The path of the SSM parameters."
  type        = string
  default     = "/checkpoint"

  validation {
    condition     = can(regex("^(/[A-Za-z0-9_.-]+)+$", var.parameter_prefix)) && !can(regex("^/(aws|ssm)", lower(var.parameter_prefix)))
    error_message = "The path must start with a slash, must not end with one, and must not start with /aws or /ssm, which are reserved."
  }
}

variable "token_version" {
  description = "Raise it to write the token to SSM again. Otherwise the token in SSM stays as it is."
  type        = number
  default     = 1

  validation {
    condition     = var.token_version >= 1 && floor(var.token_version) == var.token_version
    error_message = "The version must be a whole number of at least 1."
  }
}

variable "token_kms_key_arn" {
  description = "A KMS key of yours for the token. Null: AWS's own key for SSM. To change it later: -replace=aws_ssm_parameter.token."
  type        = string
  default     = null

  validation {
    condition     = var.token_kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/", var.token_kms_key_arn))
    error_message = "The key must be the ARN of a KMS key, not an alias: the intake's role must name the key."
  }
}
