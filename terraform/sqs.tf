# The queue between the services, the queue for what can never be archived, and who hears when something stays.

locals {
  # What the services take for the largest message; a queue that takes less would refuse some that the intake takes.
  max_message_bytes = 262144
}

resource "aws_sqs_queue" "main" {
  name                       = var.queue_name
  visibility_timeout_seconds = var.queue_visibility_seconds
  max_message_size           = local.max_message_bytes
  message_retention_seconds  = var.queue_retention_seconds
  delay_seconds              = 0
  receive_wait_time_seconds  = 0 # the broker asks for long polls itself, in each call
  sqs_managed_sse_enabled    = true

  # The broker sets a bad message aside by itself, with the reason, the first time it sees it; this is for one that kills
  # the broker before it can. A good message must not reach it: SQS hides a message for 12 hours in all, so that an
  # archive that is away for the whole four days of retention costs 8 receives, and leaves 12 for brokers that restart.
  # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = var.queue_max_receives
  })
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = var.dead_letter_queue_name
  max_message_size          = local.max_message_bytes
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
      Sid       = "NothingUnencryptedOnTheWay"
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

# Not encrypted with the key that AWS manages for SNS, because alarms cannot use that one; an alarm's text holds names of
# queues and numbers, and nothing of an e-mail.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
resource "aws_sns_topic" "alarms" {
  name = var.alarm_topic_name
}

resource "aws_sns_topic_policy" "alarms" {
  arn = aws_sns_topic.alarms.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AlarmsOfThisAccount"
      Effect    = "Allow"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.alarms.arn
      Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
    }]
  })
}

# AWS sends a message with a link first; nothing else arrives until somebody has followed it.
resource "aws_sns_topic_subscription" "email" {
  count = var.alarm_email == null ? 0 : 1

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = var.alarm_email
}

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  alarm_name          = "${var.dead_letter_queue_name} is not empty"
  alarm_description   = "At least one message could not be archived. The message attribute `reason` says why."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.dead_letters.name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching" # a queue that nobody has used for hours reports nothing
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

# Past the retention period SQS deletes a message, archived or not: this is the time in which somebody can act.
resource "aws_cloudwatch_metric_alarm" "oldest_message" {
  alarm_name          = "${var.queue_name} is not being emptied"
  alarm_description   = "The oldest message has waited too long: the broker or the archive is away, or too slow."
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
