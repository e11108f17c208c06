# With nothing set but what has no default, it is what the project was asked for.

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

run "the_queue_has_the_seeds_attributes" {
  command = plan

  assert {
    condition     = aws_sqs_queue.main.name == "my_sqs"
    error_message = "Its name is my_sqs."
  }
  assert {
    condition     = aws_sqs_queue.main.visibility_timeout_seconds == 30
    error_message = "Its visibility timeout is 30 s."
  }
  assert {
    condition     = aws_sqs_queue.main.max_message_size == 262144
    error_message = "It takes messages of 262144 bytes."
  }
  assert {
    condition     = aws_sqs_queue.main.message_retention_seconds == 345600
    error_message = "It keeps messages for 345600 s."
  }
  assert {
    condition     = aws_sqs_queue.main.delay_seconds == 0 && aws_sqs_queue.main.receive_wait_time_seconds == 0
    error_message = "It neither delays nor waits."
  }
  assert {
    condition     = aws_sqs_queue.main.sqs_managed_sse_enabled == true
    error_message = "It is encrypted."
  }
  assert {
    condition     = aws_sqs_queue.main.fifo_queue != true
    error_message = "It is a standard queue."
  }
}

run "dead_letters_have_a_queue_and_only_this_one_may_use_it" {
  command = plan

  assert {
    condition     = aws_sqs_queue.dead_letters.name == "my_sqs_dead_letters"
    error_message = "Its name is my_sqs_dead_letters."
  }
  assert {
    condition     = aws_sqs_queue.dead_letters.message_retention_seconds == 1209600
    error_message = "It keeps messages for 14 days."
  }
  assert {
    condition     = aws_sqs_queue.dead_letters.max_message_size == 262144
    error_message = "It takes what the queue takes."
  }
  assert {
    condition     = aws_sqs_queue.dead_letters.sqs_managed_sse_enabled == true
    error_message = "It is encrypted."
  }
  assert {
    condition = jsondecode(aws_sqs_queue.main.redrive_policy) == {
      deadLetterTargetArn = "arn:aws:sqs:us-east-1:123456789012:my_sqs_dead_letters"
      maxReceiveCount     = 20
    }
    error_message = "The queue moves a message there after 20 receives."
  }
  assert {
    condition     = aws_sqs_queue_redrive_allow_policy.dead_letters.queue_url == aws_sqs_queue.dead_letters.url
    error_message = "Who may use it is said of it."
  }
  assert {
    condition = jsondecode(aws_sqs_queue_redrive_allow_policy.dead_letters.redrive_allow_policy) == {
      redrivePermission = "byQueue"
      sourceQueueArns   = ["arn:aws:sqs:us-east-1:123456789012:my_sqs"]
    }
    error_message = "No other queue may use it."
  }
}

run "somebody_is_told_of_dead_letters_and_of_a_queue_that_is_not_emptied" {
  command = plan

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.dead_letters.namespace == "AWS/SQS" &&
      aws_cloudwatch_metric_alarm.dead_letters.metric_name == "ApproximateNumberOfMessagesVisible" &&
      aws_cloudwatch_metric_alarm.dead_letters.statistic == "Maximum" &&
      aws_cloudwatch_metric_alarm.dead_letters.dimensions == tomap({ QueueName = "my_sqs_dead_letters" })
    )
    error_message = "The first alarm counts dead letters."
  }
  assert {
    condition = (
      aws_cloudwatch_metric_alarm.dead_letters.comparison_operator == "GreaterThanThreshold" &&
      aws_cloudwatch_metric_alarm.dead_letters.threshold == 0 &&
      aws_cloudwatch_metric_alarm.dead_letters.evaluation_periods == 1
    )
    error_message = "A single dead letter is enough."
  }
  assert {
    condition = (
      aws_cloudwatch_metric_alarm.oldest_message.namespace == "AWS/SQS" &&
      aws_cloudwatch_metric_alarm.oldest_message.metric_name == "ApproximateAgeOfOldestMessage" &&
      aws_cloudwatch_metric_alarm.oldest_message.statistic == "Maximum" &&
      aws_cloudwatch_metric_alarm.oldest_message.dimensions == tomap({ QueueName = "my_sqs" })
    )
    error_message = "The second alarm looks at the queue's oldest message."
  }
  assert {
    condition = (
      aws_cloudwatch_metric_alarm.oldest_message.comparison_operator == "GreaterThanThreshold" &&
      aws_cloudwatch_metric_alarm.oldest_message.threshold == 900
    )
    error_message = "A quarter of an hour is too old."
  }
  assert {
    condition = alltrue([
      for alarm in [aws_cloudwatch_metric_alarm.dead_letters, aws_cloudwatch_metric_alarm.oldest_message] :
      alarm.treat_missing_data == "notBreaching" &&
      alarm.alarm_actions == toset(["arn:aws:sns:us-east-1:123456789012:checkpoint-alarms"]) &&
      alarm.ok_actions == alarm.alarm_actions
    ])
    error_message = "Both tell the topic, of the end as well; an idle queue is none."
  }
  assert {
    condition     = aws_sns_topic.alarms.name == "checkpoint-alarms" && length(aws_sns_topic_subscription.email) == 0
    error_message = "Nobody is written to who was not named."
  }
}

run "the_archive_is_private_encrypted_and_keeps_what_is_deleted_for_a_while" {
  command = plan

  assert {
    condition     = aws_s3_bucket.archive.bucket == "messages-bucket-checkpoint-assignment"
    error_message = "The bucket has the seed's name."
  }
  assert {
    condition     = aws_s3_bucket.archive.force_destroy == false
    error_message = "A bucket that holds e-mails is not destroyed."
  }
  assert {
    condition = (
      aws_s3_bucket_public_access_block.archive.block_public_acls &&
      aws_s3_bucket_public_access_block.archive.block_public_policy &&
      aws_s3_bucket_public_access_block.archive.ignore_public_acls &&
      aws_s3_bucket_public_access_block.archive.restrict_public_buckets
    )
    error_message = "Nothing of it can be made public."
  }
  assert {
    condition     = aws_s3_bucket_ownership_controls.archive.rule[0].object_ownership == "BucketOwnerEnforced"
    error_message = "The bucket's owner owns every object."
  }
  assert {
    condition = one(one(
      aws_s3_bucket_server_side_encryption_configuration.archive.rule
    ).apply_server_side_encryption_by_default).sse_algorithm == "AES256"
    error_message = "It is encrypted."
  }
  assert {
    condition     = aws_s3_bucket_versioning.archive.versioning_configuration[0].status == "Enabled"
    error_message = "It keeps versions."
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
    condition     = [for rule in aws_s3_bucket_lifecycle_configuration.archive.rule : rule.id] == ["what-is-staged-expires", "what-was-left-behind-goes"]
    error_message = "There are two rules, and none that moves e-mails."
  }
  assert {
    condition = (
      aws_s3_bucket_lifecycle_configuration.archive.rule[0].filter[0].prefix == "staging/" &&
      aws_s3_bucket_lifecycle_configuration.archive.rule[0].expiration[0].days == 7
    )
    error_message = "What is staged expires after a week, and nothing else does."
  }
  assert {
    condition = (
      aws_s3_bucket_lifecycle_configuration.archive.rule[1].abort_incomplete_multipart_upload[0].days_after_initiation == 1 &&
      aws_s3_bucket_lifecycle_configuration.archive.rule[1].noncurrent_version_expiration[0].noncurrent_days == 90 &&
      length(aws_s3_bucket_lifecycle_configuration.archive.rule[1].expiration) == 0
    )
    error_message = "Parts go after a day, deleted objects after 90, and objects never."
  }
  assert {
    condition     = alltrue([for rule in aws_s3_bucket_lifecycle_configuration.archive.rule : rule.status == "Enabled"])
    error_message = "All rules hold."
  }
}

run "the_parameters_have_the_names_that_the_services_are_given" {
  command = plan

  assert {
    condition     = aws_ssm_parameter.token.name == "/checkpoint/token" && aws_ssm_parameter.token.type == "SecureString"
    error_message = "The token is a SecureString."
  }
  assert {
    condition     = aws_ssm_parameter.token.value_wo_version == 1
    error_message = "The token is written once."
  }
  assert {
    condition = (
      aws_ssm_parameter.queue_url.name == "/checkpoint/sqs_queue_url" &&
      aws_ssm_parameter.queue_url.value == "https://sqs.us-east-1.amazonaws.com/123456789012/my_sqs"
    )
    error_message = "The queue's URL can be looked up."
  }
  assert {
    condition = (
      aws_ssm_parameter.archive_url.name == "/checkpoint/archive_url" &&
      aws_ssm_parameter.archive_url.value == "s3://messages-bucket-checkpoint-assignment"
    )
    error_message = "The archive's URL can be looked up."
  }
}

run "the_network_has_three_zones" {
  command = plan

  assert {
    condition     = module.vpc.asked.azs == tolist(["us-east-1a", "us-east-1b", "us-east-1c"])
    error_message = "Three zones are used, of however many there are."
  }
  assert {
    condition     = module.vpc.asked.cidr == "10.0.0.0/16"
    error_message = "The network is the seed's."
  }
  assert {
    condition = (
      module.vpc.asked.private_subnets == tolist(["10.0.0.0/20", "10.0.16.0/20", "10.0.32.0/20"]) &&
      module.vpc.asked.public_subnets == tolist(["10.0.48.0/24", "10.0.49.0/24", "10.0.50.0/24"])
    )
    error_message = "Subnets do not overlap."
  }
  assert {
    condition = (
      module.vpc.asked.public_subnet_tags == tomap({ "kubernetes.io/role/elb" = "1" }) &&
      module.vpc.asked.private_subnet_tags == tomap({ "kubernetes.io/role/internal-elb" = "1" })
    )
    error_message = "Load balancers find their subnets by tags."
  }
  assert {
    condition     = module.vpc.asked.single_nat_gateway == true
    error_message = "One NAT gateway is paid for."
  }
  assert {
    condition = (
      aws_vpc_endpoint.s3.vpc_endpoint_type == "Gateway" &&
      aws_vpc_endpoint.s3.service_name == "com.amazonaws.us-east-1.s3" &&
      aws_vpc_endpoint.s3.route_table_ids == toset(["rtb-0123456789abcdef0"])
    )
    error_message = "The archive's traffic stays inside AWS."
  }
}

run "the_cluster_has_three_nodes_that_keep_their_role_to_themselves" {
  command = plan

  assert {
    condition = (
      module.eks.asked.eks_managed_node_groups.default.desired_size == 3 &&
      module.eks.asked.eks_managed_node_groups.default.min_size == 3 &&
      module.eks.asked.eks_managed_node_groups.default.max_size == 6
    )
    error_message = "There are three nodes."
  }
  assert {
    condition     = module.eks.asked.eks_managed_node_groups.default.instance_types == tolist(["t3.medium"])
    error_message = "Nodes are t3.medium."
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
    condition     = keys(module.eks.asked.cluster_addons) == ["coredns", "eks-pod-identity-agent", "kube-proxy", "metrics-server", "vpc-cni"]
    error_message = "The add-ons are those that the workloads need."
  }
  assert {
    condition     = jsondecode(module.eks.asked.cluster_addons.vpc-cni.configuration_values) == { enableNetworkPolicy = "true" }
    error_message = "Network policies are kept."
  }
  assert {
    condition     = module.eks.asked.cluster_addons.vpc-cni.before_compute && module.eks.asked.cluster_addons.eks-pod-identity-agent.before_compute
    error_message = "What a node's first pod needs is there before the node."
  }
  assert {
    condition     = module.eks.asked.node_security_group_additional_rules.ingress_cluster_10251_webhook.from_port == 10251
    error_message = "The API server reaches metrics-server."
  }
  assert {
    condition     = module.eks.asked.cluster_version == "1.35" && module.eks.asked.cluster_service_ipv4_cidr == "172.20.0.0/16"
    error_message = "The cluster is of the version that the manifests are checked against."
  }
  assert {
    condition     = module.eks.asked.subnet_ids == tolist(["subnet-of-us-east-1a", "subnet-of-us-east-1b", "subnet-of-us-east-1c"])
    error_message = "Nodes are in the private subnets."
  }
}

run "each_service_account_has_the_role_of_its_service" {
  command = plan

  assert {
    condition = (
      aws_eks_pod_identity_association.intake.service_account == "processingrequests" &&
      aws_eks_pod_identity_association.intake.role_arn == "arn:aws:iam::123456789012:role/the-intakes-role"
    )
    error_message = "The intake's pods have the intake's role."
  }
  assert {
    condition = (
      aws_eks_pod_identity_association.broker.service_account == "messagesbroker" &&
      aws_eks_pod_identity_association.broker.role_arn == "arn:aws:iam::123456789012:role/the-brokers-role"
    )
    error_message = "The broker's pods have the broker's role."
  }
  assert {
    condition = alltrue([
      for association in [aws_eks_pod_identity_association.intake, aws_eks_pod_identity_association.broker] :
      association.namespace == "default" && association.cluster_name == "checkpoint"
    ])
    error_message = "In the one namespace of the one cluster."
  }
}

run "the_outputs_say_what_to_look_at_and_what_to_type_next" {
  command = plan

  assert {
    condition     = output.service_url == "http://the-load-balancer.example:5001/process_request"
    error_message = "Where to post."
  }
  assert {
    condition     = output.load_balancer_host == "the-load-balancer.example"
    error_message = "Where a name of one's own has to lead."
  }
  assert {
    condition     = output.bucket == "messages-bucket-checkpoint-assignment" && output.cluster_name == "checkpoint"
    error_message = "The bucket and the cluster."
  }
  assert {
    condition = (
      output.queue_url == "https://sqs.us-east-1.amazonaws.com/123456789012/my_sqs" &&
      output.dead_letter_queue_url == "https://sqs.us-east-1.amazonaws.com/123456789012/my_sqs_dead_letters"
    )
    error_message = "The queues."
  }
  assert {
    condition     = output.kubeconfig_command == "aws eks update-kubeconfig --region us-east-1 --name checkpoint"
    error_message = "How kubectl comes to know the cluster."
  }
  assert {
    condition     = output.archive_command == "aws s3 ls s3://messages-bucket-checkpoint-assignment/"
    error_message = "How to see the object."
  }
}
