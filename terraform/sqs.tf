# The queue between the services, the dead-letter queue, and the alarms on both.

resource "aws_sqs_queue" "main" {
  name                       = var.queue_name
  visibility_timeout_seconds = var.queue_visibility_seconds
  max_message_size           = var.queue_max_message_bytes
  message_retention_seconds  = var.queue_retention_seconds
  delay_seconds              = 0
  receive_wait_time_seconds  = 0 # the broker asks for a long poll in each call
  sqs_managed_sse_enabled    = true

  # The broker dead-letters a bad message itself, with the reason, when it first receives it. This policy is for a
  # message that crashes the broker before it can do so. A good message reaches it only if many brokers are
  # killed while they hold it. SQS keeps a
  # received message hidden for 12 hours at most, so an archive that is unavailable for all four days of retention costs
  # 8 receives. That leaves 12 for restarts of the broker.
  # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = var.queue_max_receives
  })
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = var.dead_letter_queue_name
  max_message_size          = var.queue_max_message_bytes
  message_retention_seconds = var.dead_letter_retention_seconds
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue_redrive_allow_policy" "dead_letters" {
  queue_url = aws_sqs_queue.dead_letters.id
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.main.arn]
  })
}

locals {
  queue_policies = { for queue in [aws_sqs_queue.main, aws_sqs_queue.dead_letters] : queue.name => {
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
}

resource "aws_sqs_queue_policy" "main" {
  queue_url = aws_sqs_queue.main.id
  policy    = jsonencode(local.queue_policies[var.queue_name])
}

resource "aws_sqs_queue_policy" "dead_letters" {
  queue_url = aws_sqs_queue.dead_letters.id
  policy    = jsonencode(local.queue_policies[var.dead_letter_queue_name])
}

locals {
  runbook = "https://github.com/jcohenp/checkpoint-assignment/blob/main/docs/operate.md"
}

# The alarms say what needs somebody, seen from outside of the cluster; the rules of deploy/prometheus say more, if a
# Prometheus runs. S3 has none: its metrics of requests cost extra, and what keeps e-mails from it shows by their age.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html
# Not encrypted: alarms cannot use the key that AWS manages for SNS. An alarm's text holds names of queues and numbers,
# and nothing of an e-mail.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
resource "aws_sns_topic" "alarms" {
  name = var.alarm_topic_name
}

resource "aws_sns_topic_policy" "alarms" {
  arn = aws_sns_topic.alarms.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "PublishAlarms"
      Effect    = "Allow"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.alarms.arn
      Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
    }]
  })
}

# AWS first sends a link to confirm the address, and no alarm until somebody has followed it.
resource "aws_sns_topic_subscription" "email" {
  count = var.alarm_email == null ? 0 : 1

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = var.alarm_email
}

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  alarm_name          = "${var.dead_letter_queue_name} is not empty"
  alarm_description   = "The dead-letter queue holds at least one message. If the broker sent it there, the message attribute `reason` says why. ${local.runbook}#deadletters"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.dead_letters.name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching" # a queue that has been idle for hours reports nothing
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

# After the retention period SQS deletes a message, archived or not. This alarm leaves time to act before that.
resource "aws_cloudwatch_metric_alarm" "oldest_message" {
  alarm_name          = "${var.queue_name} is not being emptied"
  alarm_description   = "The oldest message has waited too long: the broker or the archive is unavailable or too slow. ${local.runbook}#emailsnotstored"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateAgeOfOldestMessage"
  dimensions          = { QueueName = aws_sqs_queue.main.name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.oldest_message_alarm_seconds
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

# With 120,000 messages in flight SQS gives out no more. So many are held where bad messages are hidden for hours, because
# the queue has lost its dead-letter queue, or where brokers end again and again.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html
resource "aws_cloudwatch_metric_alarm" "in_flight" {
  alarm_name          = "${var.queue_name} has too many messages in flight"
  alarm_description   = "More than 100,000 messages are in flight. With 120,000 SQS gives out no more. ${local.runbook}#inflightnearquota"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesNotVisible"
  dimensions          = { QueueName = aws_sqs_queue.main.name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 5
  comparison_operator = "GreaterThanThreshold"
  threshold           = 100000
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}
