#!/bin/sh
# What the services ask AWS for, made on the emulator of compose.yaml, which runs this when it has started: a queue with
# its dead-letter queue, a bucket, and three parameters.
set -eu

# Said on the command line too: version 1 of it takes the variable for other services, but never for SQS.
aws() {
  command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"
}

aws sqs create-queue --queue-name my_sqs_dead_letters --attributes MessageRetentionPeriod=1209600
aws sqs create-queue --queue-name my_sqs --attributes '{
  "MaximumMessageSize": "262144",
  "RedrivePolicy": "{\"deadLetterTargetArn\": \"arn:aws:sqs:us-east-1:000000000000:my_sqs_dead_letters\", \"maxReceiveCount\": \"20\"}"
}'
aws s3 mb s3://messages-bucket-checkpoint-assignment

# As JSON: the command line would fetch a value that looks like a URL.
put_parameter() {
  aws ssm put-parameter --cli-input-json "{\"Name\": \"/checkpoint/$1\", \"Type\": \"$2\", \"Value\": \"$3\"}"
}
put_parameter token SecureString "$TOKEN"
put_parameter sqs_queue_url String http://emulator:4566/000000000000/my_sqs
put_parameter archive_url String s3://messages-bucket-checkpoint-assignment
