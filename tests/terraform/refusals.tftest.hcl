# A bad value is refused by the plan, which names its variable: a value that AWS would refuse only during the apply, or
# one that would break a promise unnoticed. Each run tries one bad value of each variable that it lists.

mock_provider "aws" {
  source          = "./mocks"
  override_during = plan
}

variables {
  token            = "a-token-of-the-tests"
  image_namespace  = "somebody"
  intake_image_tag = "1.0.7"
  broker_image_tag = "1.0.5"
  admin_arns       = ["arn:aws:iam::123456789012:role/admins"]
}

run "names_that_aws_does_not_know_are_refused" {
  command = plan

  variables {
    alarm_email                   = "nobody"
    alarm_topic_name              = "with spaces"
    archive_transition            = { days = 30, storage_class = "DEEP_ARCHIVE" }
    bucket_name                   = "With.Capitals"
    cluster_name                  = "-"
    cluster_public_access_cidrs   = []
    cluster_version               = "1.35.1"
    dead_letter_queue_name        = "my_sqs"
    deployer_arn                  = "deployer"
    image_namespace               = "somebody/"
    image_pull_secret             = "With_Capitals"
    intake_image_tag              = "with:colon"
    intake_name                   = "processing_requests"
    intake_service_name           = "Service"
    kubernetes_namespace          = "kube-system"
    load_balancer_certificate_arn = "a-certificate"
    load_balancer_source_ranges   = ["203.0.113.0"]
    log_level                     = "verbose"
    monitoring_namespace          = ""
    node_instance_types           = []
    parameter_prefix              = "/aws/checkpoint"
    region                        = "Virginia"
    service_cidr                  = "172.20.0.0"
    service_host                  = "https://mail.example.com"
    staging_prefix                = "staging"
    token                         = "short"
    token_kms_key_arn             = "alias/a-key"
    vpc_cidr                      = "10.0.0.0/24"
  }

  expect_failures = [
    var.alarm_email,
    var.alarm_topic_name,
    var.archive_transition,
    var.bucket_name,
    var.cluster_name,
    var.cluster_public_access_cidrs,
    var.cluster_version,
    var.dead_letter_queue_name,
    var.deployer_arn,
    var.image_namespace,
    var.image_pull_secret,
    var.intake_image_tag,
    var.intake_name,
    var.intake_service_name,
    var.kubernetes_namespace,
    var.load_balancer_certificate_arn,
    var.load_balancer_source_ranges,
    var.log_level,
    var.monitoring_namespace,
    var.node_instance_types,
    var.parameter_prefix,
    var.region,
    var.service_cidr,
    var.service_host,
    var.staging_prefix,
    var.token,
    var.token_kms_key_arn,
    var.vpc_cidr,
  ]
}

run "a_prefix_with_slashes_at_its_ends_is_refused" {
  command = plan

  variables {
    archive_prefix = "/mail/"
  }

  expect_failures = [var.archive_prefix]
}

run "a_tag_that_moves_or_is_none_is_refused" {
  command = plan

  variables {
    broker_image_tag = "with:colon"
    intake_image_tag = "latest"
  }

  expect_failures = [var.broker_image_tag, var.intake_image_tag]
}

run "a_session_is_no_admin" {
  command = plan

  variables {
    admin_arns = ["arn:aws:sts::123456789012:assumed-role/admins/somebody"]
  }

  expect_failures = [var.admin_arns]
}

run "a_cluster_that_nobody_administers_is_refused" {
  command = plan

  variables {
    admin_arns = []
  }

  expect_failures = [var.admin_arns]
}

run "numbers_that_are_too_small_are_refused" {
  command = plan

  variables {
    archive_transition            = { days = 29, storage_class = "STANDARD_IA" }
    broker_replicas               = 0
    cpu_target_percent            = 9
    dead_letter_retention_seconds = 345599
    drain_seconds                 = 0
    intake_replicas               = 0
    keda_messages_per_replica     = 0
    node_count                    = 0
    noncurrent_version_days       = 0
    oldest_message_alarm_seconds  = 59
    queue_max_message_bytes       = 1023
    queue_max_receives            = 9
    queue_visibility_seconds      = 2
    service_port                  = 0
    staging_expiry_days           = 0
    token_version                 = 0
  }

  expect_failures = [
    var.archive_transition,
    var.broker_replicas,
    var.cpu_target_percent,
    var.dead_letter_retention_seconds,
    var.drain_seconds,
    var.intake_replicas,
    var.keda_messages_per_replica,
    var.node_count,
    var.noncurrent_version_days,
    var.oldest_message_alarm_seconds,
    var.queue_max_message_bytes,
    var.queue_max_receives,
    var.queue_visibility_seconds,
    var.service_port,
    var.staging_expiry_days,
    var.token_version,
  ]
}

run "numbers_that_are_too_large_are_refused" {
  command = plan

  variables {
    archive_transition            = { days = 30, storage_class = "ONEZONE_IA" }
    cpu_target_percent            = 101
    dead_letter_retention_seconds = 1209601
    drain_seconds                 = 601
    oldest_message_alarm_seconds  = 345600
    queue_max_message_bytes       = 262145
    queue_max_receives            = 1001
    queue_visibility_seconds      = 43201
    service_port                  = 65536
  }

  expect_failures = [
    var.archive_transition,
    var.cpu_target_percent,
    var.dead_letter_retention_seconds,
    var.drain_seconds,
    var.oldest_message_alarm_seconds,
    var.queue_max_message_bytes,
    var.queue_max_receives,
    var.queue_visibility_seconds,
    var.service_port,
  ]
}

run "what_does_not_go_together_is_refused" {
  command = plan

  variables {
    archive_prefix          = "staging/mail"
    archive_transition      = { days = 30, storage_class = "GLACIER" }
    broker_max_replicas     = 1
    broker_image_tag        = "latest"
    broker_name             = "processingrequests"
    broker_replicas         = 2
    intake_max_replicas     = 1
    intake_replicas         = 2
    node_count              = 7
    queue_retention_seconds = 86399
    token                   = "one-token,,another"
  }

  expect_failures = [
    var.archive_transition,
    var.broker_image_tag,
    var.broker_max_replicas,
    var.broker_name,
    var.intake_max_replicas,
    var.node_max_count,
    var.queue_retention_seconds,
    var.staging_prefix,
    var.token,
  ]
}

run "a_cluster_whose_roles_would_have_too_long_a_name_is_refused" {
  command = plan

  variables {
    cluster_name = "a-name-of-thirty-characters-30"
  }

  expect_failures = [var.cluster_name]
}

run "a_region_without_three_zones_is_refused_by_name" {
  command = plan

  override_data {
    target = data.aws_availability_zones.this
    values = { names = ["us-west-1a", "us-west-1b"] }
  }

  expect_failures = [data.aws_availability_zones.this]
}

run "somebody_who_applies_and_is_no_admin_is_refused_by_name" {
  command = plan

  override_data {
    target = data.aws_iam_session_context.this
    values = { issuer_arn = "arn:aws:iam::123456789012:user/somebody" }
  }

  expect_failures = [data.aws_iam_session_context.this]
}

run "pipelines_that_would_administer_the_cluster_are_refused" {
  command = plan

  variables {
    deployer_arn = "arn:aws:iam::123456789012:role/admins"
  }

  expect_failures = [var.deployer_arn]
}
