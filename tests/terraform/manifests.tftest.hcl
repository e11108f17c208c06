# The plans that manifests.py reads: one with the defaults, one with every option. They assert nothing.

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

run "defaults" {
  command = plan
}

run "every_option" {
  command = plan

  variables {
    archive_transition            = { days = 30, storage_class = "INTELLIGENT_TIERING" }
    broker_max_replicas           = 9
    broker_replicas               = 2
    drain_seconds                 = 45
    image_pull_secret             = "registry"
    intake_max_replicas           = 8
    intake_replicas               = 3
    keda_enabled                  = true
    keda_messages_per_replica     = 500
    kubernetes_namespace          = "mail"
    load_balancer_certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/a-certificate"
    load_balancer_source_ranges   = ["203.0.113.0/24"]
    log_level                     = "debug"
    monitoring_namespace          = "observability"
    service_port                  = 443
  }
}
