# The defaults: what the assignment shows, and what would lose or expose e-mails if it changed.

mock_provider "aws" {
  source          = "./mocks"
  override_during = plan
}

override_resource {
  target          = terraform_data.private_subnets
  override_during = plan
  values          = { output = ["subnet-of-us-east-1a", "subnet-of-us-east-1b", "subnet-of-us-east-1c"] }
}

variables {
  token            = "a-token-of-the-tests"
  image_namespace  = "somebody"
  intake_image_tag = "1.0.7"
  broker_image_tag = "1.0.5"
  admin_arns       = ["arn:aws:iam::123456789012:role/admins"]
}

run "the_queue_has_the_attributes_of_the_assignment" {
  command = plan

  assert {
    condition = [
      aws_sqs_queue.main.name,
      aws_sqs_queue.main.visibility_timeout_seconds,
      aws_sqs_queue.main.max_message_size,
      aws_sqs_queue.main.message_retention_seconds,
      aws_sqs_queue.main.delay_seconds,
      aws_sqs_queue.main.receive_wait_time_seconds,
      aws_sqs_queue.main.sqs_managed_sse_enabled,
    ] == ["my_sqs", 30, 262144, 345600, 0, 0, true]
    error_message = "Name, visibility timeout, size, retention, delay, wait and encryption are those of the assignment."
  }
  assert {
    condition     = aws_sqs_queue.main.fifo_queue != true
    error_message = "It is a standard queue."
  }
}

run "the_dead_letter_queue_takes_whole_messages_keeps_them_longer_and_serves_the_queue_alone" {
  command = plan

  assert {
    condition = jsondecode(aws_sqs_queue.main.redrive_policy) == {
      deadLetterTargetArn = "arn:aws:sqs:us-east-1:123456789012:my_sqs_dead_letters"
      maxReceiveCount     = 20
    }
    error_message = "The queue moves a message there after 20 receives."
  }
  assert {
    condition = (
      aws_sqs_queue.dead_letters.max_message_size == aws_sqs_queue.main.max_message_size &&
      aws_sqs_queue.dead_letters.message_retention_seconds > aws_sqs_queue.main.message_retention_seconds &&
      aws_sqs_queue.dead_letters.sqs_managed_sse_enabled == true
    )
    error_message = "It takes what the queue takes, keeps it for longer, and encrypts it."
  }
  assert {
    condition = jsondecode(aws_sqs_queue_redrive_allow_policy.dead_letters.redrive_allow_policy) == {
      redrivePermission = "byQueue"
      sourceQueueArns   = ["arn:aws:sqs:us-east-1:123456789012:my_sqs"]
    }
    error_message = "No other queue may use it."
  }
}

run "a_single_dead_letter_an_old_message_and_many_in_flight_raise_an_alarm" {
  command = plan

  assert {
    condition = [
      for alarm in [aws_cloudwatch_metric_alarm.dead_letters, aws_cloudwatch_metric_alarm.oldest_message, aws_cloudwatch_metric_alarm.in_flight] :
      [alarm.metric_name, alarm.dimensions["QueueName"], alarm.comparison_operator, alarm.threshold]
      ] == [
      ["ApproximateNumberOfMessagesVisible", "my_sqs_dead_letters", "GreaterThanThreshold", 0],
      ["ApproximateAgeOfOldestMessage", "my_sqs", "GreaterThanThreshold", 900],
      ["ApproximateNumberOfMessagesNotVisible", "my_sqs", "GreaterThanThreshold", 100000],
    ]
    error_message = "Each watches its own queue."
  }
  assert {
    condition = alltrue([
      for alarm in [aws_cloudwatch_metric_alarm.dead_letters, aws_cloudwatch_metric_alarm.oldest_message, aws_cloudwatch_metric_alarm.in_flight] :
      alarm.treat_missing_data == "notBreaching" &&
      alarm.alarm_actions == toset(["arn:aws:sns:us-east-1:123456789012:checkpoint-alarms"]) &&
      alarm.ok_actions == alarm.alarm_actions
    ])
    error_message = "All notify the topic, when they are raised and when they end. An idle queue raises none."
  }
}

run "a_load_balancer_without_a_healthy_host_raises_an_alarm" {
  command = plan

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.no_healthy_host.dimensions["LoadBalancerName"] == "the-load-balancer" &&
      aws_cloudwatch_metric_alarm.no_healthy_host.comparison_operator == "LessThanThreshold" &&
      aws_cloudwatch_metric_alarm.no_healthy_host.threshold == 1
    )
    error_message = "Its name is what its host begins with."
  }
  assert {
    condition = (
      aws_cloudwatch_metric_alarm.no_healthy_host.treat_missing_data == "breaching" &&
      aws_cloudwatch_metric_alarm.no_healthy_host.alarm_actions == toset(["arn:aws:sns:us-east-1:123456789012:checkpoint-alarms"]) &&
      aws_cloudwatch_metric_alarm.no_healthy_host.ok_actions == aws_cloudwatch_metric_alarm.no_healthy_host.alarm_actions
    )
    error_message = "It is raised, too, where no host is there, and it notifies the topic."
  }
}

run "the_archive_is_private_and_no_rule_of_it_deletes_an_e_mail" {
  command = plan

  assert {
    condition     = aws_s3_bucket.archive.bucket == "messages-bucket-checkpoint-assignment" && !aws_s3_bucket.archive.force_destroy
    error_message = "The bucket has the name of the assignment, and is not destroyed with e-mails in it."
  }
  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.archive.block_public_acls,
      aws_s3_bucket_public_access_block.archive.block_public_policy,
      aws_s3_bucket_public_access_block.archive.ignore_public_acls,
      aws_s3_bucket_public_access_block.archive.restrict_public_buckets,
    ])
    error_message = "Nothing of it can be made public."
  }
  assert {
    condition     = aws_s3_bucket_versioning.archive.versioning_configuration[0].status == "Enabled"
    error_message = "What somebody deletes can be brought back."
  }
  assert {
    condition = alltrue([
      for bucket in [
        aws_s3_bucket_public_access_block.archive.bucket,
        aws_s3_bucket_ownership_controls.archive.bucket,
        aws_s3_bucket_server_side_encryption_configuration.archive.bucket,
        aws_s3_bucket_versioning.archive.bucket,
        aws_s3_bucket_lifecycle_configuration.archive.bucket,
        aws_s3_bucket_policy.archive.bucket,
      ] : bucket == "the-bucket"
    ])
    error_message = "All of it is said of the same bucket."
  }
  assert {
    condition = [
      for rule in aws_s3_bucket_lifecycle_configuration.archive.rule : rule.filter[0].prefix
      if length(rule.expiration) > 0 || length(rule.transition) > 0
    ] == ["staging/"]
    error_message = "Only what is staged expires, and nothing moves to another class."
  }
}

run "the_parameters_have_the_names_and_values_that_the_services_are_given" {
  command = plan

  assert {
    condition = {
      (aws_ssm_parameter.queue_url.name)   = aws_ssm_parameter.queue_url.value
      (aws_ssm_parameter.archive_url.name) = aws_ssm_parameter.archive_url.value
      } == {
      "/checkpoint/sqs_queue_url" = "https://sqs.us-east-1.amazonaws.com/123456789012/my_sqs"
      "/checkpoint/archive_url"   = "s3://messages-bucket-checkpoint-assignment"
    }
    error_message = "Both URLs can be looked up."
  }
  assert {
    condition     = aws_ssm_parameter.token.name == "/checkpoint/token" && aws_ssm_parameter.token.type == "SecureString"
    error_message = "The token is encrypted."
  }
}

run "the_network_has_three_zones_whose_subnets_do_not_overlap" {
  command = plan

  assert {
    condition     = module.vpc.asked.azs == tolist(["us-east-1a", "us-east-1b", "us-east-1c"])
    error_message = "Three zones are used, of however many there are."
  }
  assert {
    condition = (
      module.vpc.asked.private_subnets == tolist(["10.0.0.0/20", "10.0.16.0/20", "10.0.32.0/20"]) &&
      module.vpc.asked.public_subnets == tolist(["10.0.48.0/24", "10.0.49.0/24", "10.0.50.0/24"])
    )
    error_message = "Each subnet has its own addresses."
  }
  assert {
    condition = (
      module.vpc.asked.public_subnet_tags == tomap({ "kubernetes.io/role/elb" = "1" }) &&
      module.vpc.asked.private_subnet_tags == tomap({ "kubernetes.io/role/internal-elb" = "1" })
    )
    error_message = "Load balancers find their subnets by tags."
  }
}

run "nodes_are_private_no_pod_gets_their_role_and_network_policies_are_enforced" {
  command = plan

  assert {
    condition     = module.eks.asked.subnet_ids == tolist(["subnet-of-us-east-1a", "subnet-of-us-east-1b", "subnet-of-us-east-1c"])
    error_message = "Nodes are in the private subnets."
  }
  assert {
    condition = module.eks.asked.eks_managed_node_groups.default.metadata_options == {
      http_endpoint               = "enabled"
      http_tokens                 = "required"
      http_put_response_hop_limit = 1
    }
    error_message = "A pod cannot ask the metadata service for the node's role."
  }
  assert {
    condition     = jsondecode(module.eks.asked.cluster_addons.vpc-cni.configuration_values) == { enableNetworkPolicy = "true" }
    error_message = "Network policies are enforced."
  }
  assert {
    condition     = module.eks.asked.cluster_addons.vpc-cni.before_compute && module.eks.asked.cluster_addons.eks-pod-identity-agent.before_compute
    error_message = "What a node's first pod needs is there before the node."
  }
}

run "each_service_account_has_the_role_of_its_service" {
  command = plan

  assert {
    condition = [
      for each in [aws_eks_pod_identity_association.intake, aws_eks_pod_identity_association.broker] :
      [each.cluster_name, each.namespace, each.service_account, each.role_arn]
      ] == [
      ["checkpoint", "default", "processingrequests", "arn:aws:iam::123456789012:role/the-intakes-role"],
      ["checkpoint", "default", "messagesbroker", "arn:aws:iam::123456789012:role/the-brokers-role"],
    ]
    error_message = "In the one namespace of the one cluster."
  }
}

run "the_outputs_name_what_was_created_and_the_commands_that_come_next" {
  command = plan

  assert {
    condition = [
      output.service_url, output.bucket, output.queue_url, output.dead_letter_queue_url,
      output.kubeconfig_command, output.archive_command,
      ] == [
      "http://the-load-balancer-1234567890.us-east-1.elb.amazonaws.com:5001/process_request",
      "messages-bucket-checkpoint-assignment",
      "https://sqs.us-east-1.amazonaws.com/123456789012/my_sqs",
      "https://sqs.us-east-1.amazonaws.com/123456789012/my_sqs_dead_letters",
      "aws eks update-kubeconfig --region us-east-1 --name checkpoint",
      "aws s3 ls s3://messages-bucket-checkpoint-assignment/",
    ]
    error_message = "They name what was created."
  }
}
