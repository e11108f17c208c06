# Every policy, statement by statement: nothing else is granted or denied.

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

run "the_intake_may_send_to_its_queue_and_read_its_parameters" {
  command = plan

  assert {
    condition = jsondecode(aws_iam_role_policy.intake.policy) == {
      Version = "2012-10-17"
      Statement = [
        {
          Sid      = "Send"
          Effect   = "Allow"
          Action   = ["sqs:SendMessage", "sqs:GetQueueAttributes"]
          Resource = ["arn:aws:sqs:us-east-1:123456789012:my_sqs"]
        },
        {
          Sid    = "ReadParameters"
          Effect = "Allow"
          Action = ["ssm:GetParameters"]
          Resource = [
            "arn:aws:ssm:us-east-1:123456789012:parameter/checkpoint/token",
            "arn:aws:ssm:us-east-1:123456789012:parameter/checkpoint/sqs_queue_url",
          ]
        },
      ]
    }
    error_message = "The intake's role has these rights and no others."
  }
  assert {
    condition     = aws_iam_role_policy.intake.role == "the-intakes-role"
    error_message = "The intake's policy is the intake's role's."
  }
}

run "the_broker_may_empty_its_queue_create_and_read_e_mails_and_read_its_parameters" {
  command = plan

  assert {
    condition = jsondecode(aws_iam_role_policy.broker.policy) == {
      Version = "2012-10-17"
      Statement = [
        {
          Sid      = "Receive"
          Effect   = "Allow"
          Action   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"]
          Resource = ["arn:aws:sqs:us-east-1:123456789012:my_sqs"]
        },
        {
          Sid      = "DeadLetter"
          Effect   = "Allow"
          Action   = ["sqs:SendMessage", "sqs:GetQueueAttributes"]
          Resource = ["arn:aws:sqs:us-east-1:123456789012:my_sqs_dead_letters"]
        },
        {
          Sid       = "Create"
          Effect    = "Allow"
          Action    = ["s3:PutObject"]
          Resource  = ["arn:aws:s3:::the-bucket/sqs_message_*.json"]
          Condition = { Null = { "s3:if-none-match" = "false" } }
        },
        {
          Sid      = "Compare"
          Effect   = "Allow"
          Action   = ["s3:GetObject"]
          Resource = ["arn:aws:s3:::the-bucket/sqs_message_*.json"]
        },
        {
          Sid    = "ReadParameters"
          Effect = "Allow"
          Action = ["ssm:GetParameters"]
          Resource = [
            "arn:aws:ssm:us-east-1:123456789012:parameter/checkpoint/sqs_queue_url",
            "arn:aws:ssm:us-east-1:123456789012:parameter/checkpoint/archive_url",
          ]
        },
      ]
    }
    error_message = "The broker's role has these rights and no others."
  }
  assert {
    condition     = aws_iam_role_policy.broker.role == "the-brokers-role"
    error_message = "The broker's policy is the broker's role's."
  }
}

run "a_role_can_be_assumed_by_the_pods_of_its_service_in_this_cluster_only" {
  command = plan

  assert {
    condition = {
      processingrequests = jsondecode(aws_iam_role.intake.assume_role_policy)
      messagesbroker     = jsondecode(aws_iam_role.broker.assume_role_policy)
      } == { for service_account in ["processingrequests", "messagesbroker"] : service_account => {
        Version = "2012-10-17"
        Statement = [{
          Sid       = "ServicePods"
          Effect    = "Allow"
          Principal = { Service = "pods.eks.amazonaws.com" }
          Action    = ["sts:AssumeRole", "sts:TagSession"]
          Condition = {
            StringEquals = {
              "aws:RequestTag/eks-cluster-arn"            = "arn:aws:eks:us-east-1:123456789012:cluster/checkpoint"
              "aws:RequestTag/kubernetes-namespace"       = "default"
              "aws:RequestTag/kubernetes-service-account" = service_account
            }
          }
        }]
    } }
    error_message = "Only a service's own pods get its role."
  }
}

run "the_bucket_refuses_what_is_not_encrypted_and_what_would_overwrite" {
  command = plan

  assert {
    condition = jsondecode(aws_s3_bucket_policy.archive.policy) == {
      Version = "2012-10-17"
      Statement = [
        {
          Sid       = "DenyInsecureTransport"
          Effect    = "Deny"
          Principal = "*"
          Action    = "s3:*"
          Resource  = ["arn:aws:s3:::the-bucket", "arn:aws:s3:::the-bucket/*"]
          Condition = { Bool = { "aws:SecureTransport" = "false" } }
        },
        {
          Sid       = "DenyOverwrite"
          Effect    = "Deny"
          Principal = "*"
          Action    = "s3:PutObject"
          Resource  = ["arn:aws:s3:::the-bucket/sqs_message_*.json"]
          Condition = { Null = { "s3:if-none-match" = "true" } }
        },
      ]
    }
    error_message = "The bucket's policy denies this and grants nothing."
  }
}

run "the_queues_refuse_what_is_not_encrypted" {
  command = plan

  assert {
    condition = {
      (aws_sqs_queue_policy.main.queue_url)         = jsondecode(aws_sqs_queue_policy.main.policy)
      (aws_sqs_queue_policy.dead_letters.queue_url) = jsondecode(aws_sqs_queue_policy.dead_letters.policy)
      } == { for queue in [aws_sqs_queue.main, aws_sqs_queue.dead_letters] : queue.url => {
        Version = "2012-10-17"
        Statement = [{
          Sid       = "DenyInsecureTransport"
          Effect    = "Deny"
          Principal = "*"
          Action    = "sqs:*"
          Resource  = queue.arn
          Condition = { Bool = { "aws:SecureTransport" = "false" } }
        }]
    } }
    error_message = "Each queue's policy denies this and grants nothing."
  }
}

run "only_alarms_of_this_account_reach_the_topic" {
  command = plan

  assert {
    condition = jsondecode(aws_sns_topic_policy.alarms.policy) == {
      Version = "2012-10-17"
      Statement = [{
        Sid       = "PublishAlarms"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = "arn:aws:sns:us-east-1:123456789012:checkpoint-alarms"
        Condition = { StringEquals = { "aws:SourceAccount" = "123456789012" } }
      }]
    }
    error_message = "The topic's policy grants this and no more."
  }
  assert {
    condition     = aws_sns_topic_policy.alarms.arn == "arn:aws:sns:us-east-1:123456789012:checkpoint-alarms"
    error_message = "The topic's policy is the topic's."
  }
}

run "a_key_of_ones_own_may_be_used_for_the_token_and_by_the_intake_alone" {
  command = plan

  variables {
    token_kms_key_arn = "arn:aws:kms:us-east-1:123456789012:key/a-key"
  }

  assert {
    condition = [for statement in jsondecode(aws_iam_role_policy.intake.policy).Statement : statement if statement.Sid == "DecryptToken"] == [{
      Sid      = "DecryptToken"
      Effect   = "Allow"
      Action   = ["kms:Decrypt"]
      Resource = ["arn:aws:kms:us-east-1:123456789012:key/a-key"]
      Condition = {
        StringEquals = {
          "kms:EncryptionContext:PARAMETER_ARN" = "arn:aws:ssm:us-east-1:123456789012:parameter/checkpoint/token"
        }
      }
    }]
    error_message = "The intake may decrypt the token."
  }
  assert {
    condition     = !strcontains(aws_iam_role_policy.broker.policy, "kms:")
    error_message = "The broker may not."
  }
  assert {
    condition     = aws_ssm_parameter.token.key_id == "arn:aws:kms:us-east-1:123456789012:key/a-key"
    error_message = "The token is encrypted with it."
  }
}

run "below_a_prefix_the_rules_hold_for_that_prefix" {
  command = plan

  variables {
    archive_prefix     = "mail/in"
    archive_transition = { days = 60, storage_class = "GLACIER_IR" }
  }

  assert {
    condition     = jsondecode(aws_s3_bucket_policy.archive.policy).Statement[1].Resource == ["arn:aws:s3:::the-bucket/mail/in/sqs_message_*.json"]
    error_message = "No e-mail below it is overwritten."
  }
  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.broker.policy).Statement : statement.Resource if startswith(statement.Action[0], "s3:")
    ] == [["arn:aws:s3:::the-bucket/mail/in/sqs_message_*.json"], ["arn:aws:s3:::the-bucket/mail/in/sqs_message_*.json"]]
    error_message = "The broker creates and reads there, and nowhere else."
  }
  assert {
    condition     = aws_ssm_parameter.archive_url.value == "s3://messages-bucket-checkpoint-assignment/mail/in"
    error_message = "The broker is told so."
  }
  assert {
    condition = (
      aws_s3_bucket_lifecycle_configuration.archive.rule[2].filter[0].prefix == "mail/in/sqs_message_" &&
      one(aws_s3_bucket_lifecycle_configuration.archive.rule[2].transition).days == 60 &&
      one(aws_s3_bucket_lifecycle_configuration.archive.rule[2].transition).storage_class == "GLACIER_IR"
    )
    error_message = "E-mails move to the class that was asked for."
  }
}
