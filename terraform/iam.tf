# One role per service. Each grants the calls that its service makes, on the resources that it uses, and nothing else.
# docs/security.md says what an attacker could do with each role.

locals {
  # Only EKS may assume a role, and only for the pods of one service account in this cluster.
  # https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html
  trust = { for service_account in [var.intake_name, var.broker_name] : service_account => {
    Version = "2012-10-17"
    Statement = [{
      Sid       = "ServicePods"
      Effect    = "Allow"
      Principal = { Service = "pods.eks.amazonaws.com" }
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Condition = {
        StringEquals = {
          "aws:RequestTag/eks-cluster-arn"            = local.cluster_arn
          "aws:RequestTag/kubernetes-namespace"       = var.kubernetes_namespace
          "aws:RequestTag/kubernetes-service-account" = service_account
        }
      }
    }]
  } }

  intake_policy = {
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          # It reads the attributes when it starts and while sending fails, to learn whether the queue is available.
          Sid      = "Send"
          Effect   = "Allow"
          Action   = ["sqs:SendMessage", "sqs:GetQueueAttributes"]
          Resource = [aws_sqs_queue.main.arn]
        },
        {
          Sid      = "ReadParameters"
          Effect   = "Allow"
          Action   = ["ssm:GetParameters"]
          Resource = local.intake_parameters
        },
      ],
      # AWS's own key for SSM needs no grant beside the right to read the parameter. A customer managed key does.
      # https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html
      [for key in var.token_kms_key_arn[*] : {
        Sid       = "DecryptToken"
        Effect    = "Allow"
        Action    = ["kms:Decrypt"]
        Resource  = [key]
        Condition = { StringEquals = { "kms:EncryptionContext:PARAMETER_ARN" = aws_ssm_parameter.token.arn } }
      }],
    )
  }

  broker_policy = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Receive"
        Effect   = "Allow"
        Action   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"]
        Resource = [aws_sqs_queue.main.arn]
      },
      {
        # It reads the attributes to tell how many dead letters there are.
        Sid      = "DeadLetter"
        Effect   = "Allow"
        Action   = ["sqs:SendMessage", "sqs:GetQueueAttributes"]
        Resource = [aws_sqs_queue.dead_letters.arn]
      },
      {
        # The bucket's policy has this condition too. If one of them is lost, the other still prevents an overwrite.
        Sid       = "Create"
        Effect    = "Allow"
        Action    = ["s3:PutObject"]
        Resource  = [local.emails]
        Condition = { Null = { "s3:if-none-match" = "false" } }
      },
      {
        # Without s3:ListBucket, S3 answers 403 and not 404 for a missing object. The broker reads only names that S3
        # has just reported as taken, and treats both answers alike: it tries again. So nobody needs the right to list.
        Sid      = "Compare"
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = [local.emails]
      },
      {
        Sid      = "ReadParameters"
        Effect   = "Allow"
        Action   = ["ssm:GetParameters"]
        Resource = local.broker_parameters
      },
    ]
  }
}

resource "aws_iam_role" "intake" {
  name               = "${var.cluster_name}-${var.intake_name}"
  description        = "Pods of ${var.intake_name}: put e-mails on the queue"
  assume_role_policy = jsonencode(local.trust[var.intake_name])
}

resource "aws_iam_role_policy" "intake" {
  name   = "intake"
  role   = aws_iam_role.intake.id
  policy = jsonencode(local.intake_policy)
}

resource "aws_iam_role" "broker" {
  name               = "${var.cluster_name}-${var.broker_name}"
  description        = "Pods of ${var.broker_name}: move e-mails from the queue to the archive"
  assume_role_policy = jsonencode(local.trust[var.broker_name])
}

resource "aws_iam_role_policy" "broker" {
  name   = "broker"
  role   = aws_iam_role.broker.id
  policy = jsonencode(local.broker_policy)
}
