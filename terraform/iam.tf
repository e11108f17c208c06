# One role a service: the calls it makes, on what it makes them on, and nothing else. docs/security.md goes through what
# somebody could do who has taken one over.

locals {
  # Only EKS may hand a role out, and only to the pods of one service account of this one cluster.
  # https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html
  trust = { for service_account in [var.intake_name, var.broker_name] : service_account => {
    Version = "2012-10-17"
    Statement = [{
      Sid       = "ItsOwnPods"
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
          # The attributes are what it asks for, at its start and while sending fails, to learn whether that would work.
          Sid      = "Send"
          Effect   = "Allow"
          Action   = ["sqs:SendMessage", "sqs:GetQueueAttributes"]
          Resource = [aws_sqs_queue.main.arn]
        },
        {
          Sid      = "ReadItsParameters"
          Effect   = "Allow"
          Action   = ["ssm:GetParameters"]
          Resource = local.intake_parameters
        },
      ],
      # The key that AWS manages for SSM serves whoever may read the parameter; a key of one's own has to be granted.
      # https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html
      [for key in var.token_kms_key_arn[*] : {
        Sid       = "DecryptTheToken"
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
        Sid      = "SetAside"
        Effect   = "Allow"
        Action   = ["sqs:SendMessage"]
        Resource = [aws_sqs_queue.dead_letters.arn]
      },
      {
        # Said here as well as in the bucket's policy, so that neither alone can be lost and an overwrite be possible.
        Sid       = "Create"
        Effect    = "Allow"
        Action    = ["s3:PutObject"]
        Resource  = [local.emails]
        Condition = { Null = { "s3:if-none-match" = "false" } }
      },
      {
        # Without s3:ListBucket a missing object reads as 403 and not as 404. The broker reads only a name that it was
        # just told is taken, and takes both answers for the same: try again. So listing the archive is granted to nobody.
        Sid      = "Compare"
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = [local.emails]
      },
      {
        Sid      = "ReadItsParameters"
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
