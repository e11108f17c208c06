# Every name and number that somebody may want otherwise. The defaults are the ones the project was asked for with.

# --- What has no default -------------------------------------------------------------------------------------------

variable "token" {
  description = "Tokens that clients may present, separated by commas; kept in SSM and nowhere else. Set TF_VAR_token."
  type        = string
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = can(regex("^[!-~]{6,}$", var.token)) && length(var.token) <= 4096 && !can(regex("(^,|,,|,$)", var.token))
    error_message = "The token must be 6 to 4096 visible ASCII characters; several are separated by single commas."
  }
}

variable "image_namespace" {
  description = "Where the images are: an account of Docker Hub, or a registry's address with a path."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9._/:-]*[a-z0-9])?$", var.image_namespace))
    error_message = "The image namespace is in lower case and neither starts nor ends with a slash: my-account."
  }
}

# --- Where ---------------------------------------------------------------------------------------------------------

variable "region" {
  description = "The AWS region."
  type        = string
  default     = "us-east-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "The region must be the name of one, as us-east-1."
  }
}

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

# --- The cluster ---------------------------------------------------------------------------------------------------

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

# --- The queue -----------------------------------------------------------------------------------------------------

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
  description = "For how long a received message is hidden, where a receiver does not say so itself; the broker does."
  type        = number
  default     = 30

  validation {
    condition     = var.queue_visibility_seconds >= 3 && var.queue_visibility_seconds <= 43200
    error_message = "The visibility timeout must be 3 to 43200 seconds."
  }
}

variable "queue_retention_seconds" {
  description = "After which SQS deletes a message that nobody has: the longest outage of the archive that is waited out."
  type        = number
  default     = 345600

  validation {
    condition     = var.queue_retention_seconds >= 86400 && var.queue_retention_seconds <= 1209600
    error_message = "The retention must be 86400 (a day) to 1209600 (14 days) seconds."
  }
}

variable "queue_max_receives" {
  description = "After how many receives SQS itself moves a message to the dead-letter queue; sqs.tf says why 20."
  type        = number
  default     = 20

  validation {
    condition     = var.queue_max_receives >= 10 && var.queue_max_receives <= 1000
    error_message = "The receives must be 10 to 1000: fewer, and an outage of the archive would cost good messages."
  }
}

variable "dead_letter_queue_name" {
  description = "The queue for messages that can never be archived."
  type        = string
  default     = "my_sqs_dead_letters"

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,80}$", var.dead_letter_queue_name)) && var.dead_letter_queue_name != var.queue_name
    error_message = "The dead-letter queue's name must be 1 to 80 letters, digits, hyphens and underscores, and not the queue's."
  }
}

variable "dead_letter_retention_seconds" {
  description = "For how long dead letters can be read; 14 days is the longest that SQS knows."
  type        = number
  default     = 1209600

  validation {
    condition     = var.dead_letter_retention_seconds >= var.queue_retention_seconds && var.dead_letter_retention_seconds <= 1209600
    error_message = "Dead letters must be kept for at least as long as messages, and for 1209600 seconds at most."
  }
}

# --- The alarms ----------------------------------------------------------------------------------------------------

variable "oldest_message_alarm_seconds" {
  description = "How old the oldest message may become before somebody is told."
  type        = number
  default     = 900

  validation {
    condition     = var.oldest_message_alarm_seconds >= 60 && var.oldest_message_alarm_seconds < var.queue_retention_seconds
    error_message = "The age must be at least 60 seconds and below the queue's retention."
  }
}

variable "alarm_topic_name" {
  description = "The SNS topic that alarms go to."
  type        = string
  default     = "checkpoint-alarms"

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,256}$", var.alarm_topic_name))
    error_message = "The topic's name must be 1 to 256 letters, digits, hyphens and underscores."
  }
}

variable "alarm_email" {
  description = "An e-mail address that is told of alarms; AWS sends it a link to confirm."
  type        = string
  default     = null

  validation {
    condition     = var.alarm_email == null || can(regex("^[^@[:space:]]+@[^@[:space:]]+$", var.alarm_email))
    error_message = "The alarms' address must be an e-mail address."
  }
}

# --- The archive ---------------------------------------------------------------------------------------------------

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

variable "archive_transition" {
  description = "After how many days e-mails of 128 KB and more move to which cheaper storage class; null: never."
  type = object({
    days          = number
    storage_class = string
  })
  default = null

  validation {
    condition     = var.archive_transition == null || contains(["STANDARD_IA", "INTELLIGENT_TIERING", "GLACIER_IR"], try(var.archive_transition.storage_class, ""))
    error_message = "The class must be STANDARD_IA, INTELLIGENT_TIERING or GLACIER_IR: others cannot be read at once, and the broker reads."
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

# --- The parameters ------------------------------------------------------------------------------------------------

variable "parameter_prefix" {
  description = "Below which path the SSM parameters are."
  type        = string
  default     = "/checkpoint"

  validation {
    condition     = can(regex("^(/[A-Za-z0-9_.-]+)+$", var.parameter_prefix)) && !can(regex("^/(aws|ssm)", lower(var.parameter_prefix)))
    error_message = "The path must begin with a slash, not end with one, and not begin with /aws or /ssm, which are AWS's own."
  }
}

variable "token_version" {
  description = "Raise it to have the token written anew; otherwise the one in SSM stays as it is."
  type        = number
  default     = 1

  validation {
    condition     = var.token_version >= 1 && floor(var.token_version) == var.token_version
    error_message = "The version must be a whole number of at least 1."
  }
}

variable "token_kms_key_arn" {
  description = "A KMS key of yours for the token; null: the key that AWS manages for SSM. Later: -replace=aws_ssm_parameter.token."
  type        = string
  default     = null

  validation {
    condition     = var.token_kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/", var.token_kms_key_arn))
    error_message = "The key must be the ARN of a KMS key, not an alias: grants name keys."
  }
}

# --- The workloads -------------------------------------------------------------------------------------------------

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

variable "image_tag" {
  description = "With which tag the deployments begin; null: none, which registries take for latest. Later ones are deployed."
  type        = string
  default     = null

  validation {
    condition     = var.image_tag == null || can(regex("^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$", var.image_tag))
    error_message = "The tag must be 1 to 128 letters, digits, underscores, dots and hyphens."
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

variable "load_balancer_source_ranges" {
  description = "From where clients may reach the load balancer."
  type        = list(string)
  default     = ["0.0.0.0/0"]

  validation {
    condition     = length(var.load_balancer_source_ranges) > 0 && alltrue([for cidr in var.load_balancer_source_ranges : can(cidrhost(cidr, 0))])
    error_message = "At least one CIDR block is needed, and each must be one."
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

variable "service_host" {
  description = "The name that clients use, yours, leading to the load balancer; null: the load balancer's own. No certificate names that."
  type        = string
  default     = null

  validation {
    condition     = var.service_host == null || can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]+$", var.service_host))
    error_message = "The host must be a name in lower case, as mail.example.com."
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
