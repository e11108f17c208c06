# AWS as the tests see it: an account, three zones and one too many, and names that a plan can be compared with.

mock_data "aws_caller_identity" {
  defaults = {
    account_id = "123456789012"
    arn        = "arn:aws:sts::123456789012:assumed-role/admins/somebody"
  }
}

mock_data "aws_iam_session_context" {
  defaults = { issuer_arn = "arn:aws:iam::123456789012:role/admins" }
}

mock_data "aws_partition" {
  defaults = { partition = "aws" }
}

mock_data "aws_availability_zones" {
  defaults = { names = ["us-east-1a", "us-east-1b", "us-east-1c", "us-east-1d"] }
}

override_resource {
  target = aws_sqs_queue.main
  values = {
    id  = "https://sqs.us-east-1.amazonaws.com/123456789012/my_sqs"
    url = "https://sqs.us-east-1.amazonaws.com/123456789012/my_sqs"
    arn = "arn:aws:sqs:us-east-1:123456789012:my_sqs"
  }
}

override_resource {
  target = aws_sqs_queue.dead_letters
  values = {
    id  = "https://sqs.us-east-1.amazonaws.com/123456789012/my_sqs_dead_letters"
    url = "https://sqs.us-east-1.amazonaws.com/123456789012/my_sqs_dead_letters"
    arn = "arn:aws:sqs:us-east-1:123456789012:my_sqs_dead_letters"
  }
}

override_resource {
  target = aws_s3_bucket.archive
  values = {
    id  = "the-bucket"
    arn = "arn:aws:s3:::the-bucket"
  }
}

override_resource {
  target = aws_ssm_parameter.token
  values = { arn = "arn:aws:ssm:us-east-1:123456789012:parameter/checkpoint/token" }
}

override_resource {
  target = aws_ssm_parameter.queue_url
  values = { arn = "arn:aws:ssm:us-east-1:123456789012:parameter/checkpoint/sqs_queue_url" }
}

override_resource {
  target = aws_ssm_parameter.archive_url
  values = { arn = "arn:aws:ssm:us-east-1:123456789012:parameter/checkpoint/archive_url" }
}

override_resource {
  target = aws_sns_topic.alarms
  values = { arn = "arn:aws:sns:us-east-1:123456789012:checkpoint-alarms" }
}

override_resource {
  target = aws_iam_role.intake
  values = {
    id  = "the-intakes-role"
    arn = "arn:aws:iam::123456789012:role/the-intakes-role"
  }
}

override_resource {
  target = aws_iam_role.broker
  values = {
    id  = "the-brokers-role"
    arn = "arn:aws:iam::123456789012:role/the-brokers-role"
  }
}
