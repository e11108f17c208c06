# The alarm on the load balancer. That it passes TCP on has it report no status of an answer: only whether it has somebody
# to pass connections on to.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/elb-cloudwatch-metrics.html

resource "aws_cloudwatch_metric_alarm" "no_healthy_host" {
  alarm_name          = "${var.intake_service_name} cannot be reached"
  alarm_description   = "The load balancer has no healthy host: clients cannot connect to the intake. ${local.runbook}#intakedown"
  namespace           = "AWS/ELB"
  metric_name         = "HealthyHostCount"
  dimensions          = { LoadBalancerName = local.load_balancer_name }
  statistic           = "Maximum" # each of its nodes counts for itself
  period              = 60
  evaluation_periods  = 2
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "breaching" # it reports nothing where no host is registered
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}
