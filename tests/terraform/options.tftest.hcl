# Each option arrives where it belongs.

mock_provider "aws" {
  source          = "./mocks"
  override_during = plan
}

variables {
  token            = "a-token-of-the-tests"
  image_namespace  = "registry.example.com:5000/mail"
  intake_image_tag = "1.0.7"
  broker_image_tag = "1.0.5"
  admin_arns       = ["arn:aws:iam::123456789012:role/admins"]
}

run "an_address_receives_alarms" {
  command = plan

  variables {
    alarm_email = "operations@example.com"
  }

  assert {
    condition = (
      aws_sns_topic_subscription.email[0].protocol == "email" &&
      aws_sns_topic_subscription.email[0].endpoint == "operations@example.com" &&
      aws_sns_topic_subscription.email[0].topic_arn == "arn:aws:sns:us-east-1:123456789012:checkpoint-alarms"
    )
    error_message = "It is subscribed by e-mail."
  }
}

run "both_queues_take_messages_as_long_as_a_variable_says" {
  command = plan

  variables {
    queue_max_message_bytes = 131072
  }

  assert {
    condition     = [aws_sqs_queue.main.max_message_size, aws_sqs_queue.dead_letters.max_message_size] == [131072, 131072]
    error_message = "Both are 128 KiB."
  }
}

run "with_a_certificate_clients_use_the_name_that_it_is_for" {
  command = plan

  variables {
    load_balancer_certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/a-certificate"
    service_host                  = "mail.example.com"
  }

  assert {
    condition     = output.service_url == "https://mail.example.com:5001/process_request"
    error_message = "The address is https, with that name."
  }
}

run "who_administers_the_cluster_is_named_and_the_same_whoever_applies" {
  command = plan

  variables {
    admin_arns   = ["arn:aws:iam::123456789012:role/admins", "arn:aws:iam::123456789012:user/second", "arn:aws:iam::123456789012:user/second"]
    deployer_arn = "arn:aws:iam::123456789012:user/deployer"
  }

  override_data {
    target = data.aws_iam_session_context.this
    values = { issuer_arn = "arn:aws:iam::123456789012:user/second" }
  }

  assert {
    condition = module.eks.asked.access_entries == {
      "arn:aws:iam::123456789012:role/admins" = {
        principal_arn = "arn:aws:iam::123456789012:role/admins"
        policy_associations = {
          admin = {
            policy_arn   = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
            access_scope = { type = "cluster" }
          }
        }
      }
      "arn:aws:iam::123456789012:user/second" = {
        principal_arn = "arn:aws:iam::123456789012:user/second"
        policy_associations = {
          admin = {
            policy_arn   = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
            access_scope = { type = "cluster" }
          }
        }
      }
      "arn:aws:iam::123456789012:user/deployer" = {
        principal_arn     = "arn:aws:iam::123456789012:user/deployer"
        kubernetes_groups = ["checkpoint:deployers"]
      }
    }
    error_message = "Admins administer it, the deployer has a group and no policy, and nobody else has anything."
  }
  assert {
    condition     = data.aws_iam_session_context.this.arn == data.aws_caller_identity.this.arn
    error_message = "Who applies is checked, and nobody else."
  }
  assert {
    condition     = module.eks.asked.enable_cluster_creator_admin_permissions == false
    error_message = "Whoever applies gets nothing by that."
  }
  assert {
    condition     = module.eks.asked.kms_key_administrators == tolist(["arn:aws:iam::123456789012:role/admins", "arn:aws:iam::123456789012:user/second"])
    error_message = "The key of the cluster's secrets is theirs too; left out, the module would take whoever applies."
  }
}

run "the_clusters_api_is_reached_from_the_given_addresses_only" {
  command = plan

  variables {
    cluster_public_access_cidrs = ["203.0.113.0/24"]
  }

  assert {
    condition     = module.eks.asked.cluster_endpoint_public_access_cidrs == tolist(["203.0.113.0/24"])
    error_message = "And from nowhere else."
  }
}

run "everything_can_be_named_otherwise" {
  command = plan

  variables {
    archive_transition     = { days = 30, storage_class = "STANDARD_IA" }
    bucket_name            = "other-bucket"
    broker_name            = "other-broker"
    cluster_name           = "other"
    dead_letter_queue_name = "other-dead-letters"
    intake_name            = "other-intake"
    intake_service_name    = "other-service"
    keda_enabled           = true
    kubernetes_namespace   = "mail"
    parameter_prefix       = "/other/checkpoint"
    queue_name             = "other-queue"
    service_port           = 443
  }

  assert {
    condition     = aws_sqs_queue.main.name == "other-queue" && aws_sqs_queue.dead_letters.name == "other-dead-letters"
    error_message = "The queues."
  }
  assert {
    condition     = aws_s3_bucket.archive.bucket == "other-bucket"
    error_message = "The bucket."
  }
  assert {
    condition     = [aws_ssm_parameter.token.name, aws_ssm_parameter.queue_url.name, aws_ssm_parameter.archive_url.name] == ["/other/checkpoint/token", "/other/checkpoint/sqs_queue_url", "/other/checkpoint/archive_url"]
    error_message = "The parameters."
  }
  assert {
    condition = (
      aws_eks_pod_identity_association.intake.service_account == "other-intake" &&
      aws_eks_pod_identity_association.broker.service_account == "other-broker" &&
      aws_eks_pod_identity_association.intake.namespace == "mail"
    )
    error_message = "The service accounts, and their namespace."
  }
  assert {
    condition     = strcontains(aws_iam_role.intake.assume_role_policy, "cluster/other") && strcontains(aws_iam_role.intake.assume_role_policy, "other-intake")
    error_message = "Whom the roles trust."
  }
  assert {
    condition     = output.service_url == "http://the-load-balancer-1234567890.us-east-1.elb.amazonaws.com:443/process_request"
    error_message = "The port."
  }
}
