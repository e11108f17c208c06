# The workloads: both deployments, their service accounts and their namespace.
#
# local.services holds what differs between the two services. Everything else is written once, so that both are hardened
# alike.

provider "kubernetes" {
  host                   = module.eks.cluster_endpoint
  cluster_ca_certificate = base64decode(module.eks.cluster_certificate_authority_data)

  # A token that is created when it is needed, and expires after 15 minutes.
  exec {
    api_version = "client.authentication.k8s.io/v1beta1"
    command     = "aws"
    args        = ["eks", "get-token", "--region", var.region, "--cluster-name", module.eks.cluster_name]
  }
}

locals {
  environment = {
    AWS_REGION   = var.region
    LOG_FORMAT   = "json"
    LOG_LEVEL    = var.log_level
    PRIVATE_HOST = "0.0.0.0"
    QUEUE_URL    = "ssm:${aws_ssm_parameter.queue_url.name}"
  }

  services = {
    intake = {
      name         = var.intake_name
      image        = "${var.image_namespace}/checkpoint-processing_requests:${var.intake_image_tag}"
      replicas     = var.intake_replicas
      max_replicas = var.intake_max_replicas
      ports        = { public = 5001, private = 9001 }

      # The pod serves on while the load balancer and the nodes learn that it terminates. SIGTERM comes after this.
      pre_stop_seconds = 10
      # After the drain it waits for the queue's last confirmation: QUEUE_TIMEOUT_SECONDS, 5. Doubled, to be safe.
      margin_seconds = 10
      environment = {
        DRAIN_SECONDS = var.drain_seconds
        HOST          = "0.0.0.0"
        PORT          = 5001
        PRIVATE_PORT  = 9001
        TOKEN         = "ssm:${aws_ssm_parameter.token.name}"
      }
    }
    # Three spellings: the service is message_broker, its deployment messagesbroker, its image
    # checkpoint-messages_broker. docs/deploy.md says why.
    broker = {
      name         = var.broker_name
      image        = "${var.image_namespace}/checkpoint-messages_broker:${var.broker_image_tag}"
      replicas     = var.broker_replicas
      max_replicas = var.broker_max_replicas
      ports        = { private = 9002 }

      pre_stop_seconds = 0 # no client connects to it
      # After GRACE_SECONDS it releases the messages in flight, which takes at most 5 s. What it could not release becomes
      # visible again by its visibility timeout.
      margin_seconds = 15
      environment = {
        ARCHIVE_URL   = "ssm:${aws_ssm_parameter.archive_url.name}"
        GRACE_SECONDS = var.drain_seconds
        PRIVATE_PORT  = 9002
      }
    }
  }
}

resource "kubernetes_namespace_v1" "checkpoint" {
  count = var.kubernetes_namespace == "default" ? 0 : 1

  metadata {
    name   = var.kubernetes_namespace
    labels = { "pod-security.kubernetes.io/enforce" = "restricted" }
  }

  depends_on = [module.eks]
}

# It has an IAM role (eks-cluster.tf) and no right in the cluster, so its token is not mounted.
resource "kubernetes_service_account_v1" "service" {
  for_each = local.services

  metadata {
    name      = each.value.name
    namespace = var.kubernetes_namespace
  }
  automount_service_account_token = false

  depends_on = [module.eks, kubernetes_namespace_v1.checkpoint]
}

resource "kubernetes_deployment_v1" "service" {
  for_each = local.services

  metadata {
    name      = each.value.name
    namespace = var.kubernetes_namespace
    labels    = { app = each.value.name }
  }

  spec {
    replicas                  = each.value.replicas
    progress_deadline_seconds = 300
    revision_history_limit    = 10 # as far back as a rollback can go

    selector {
      match_labels = { app = each.value.name }
    }

    # A pod is stopped only when its replacement is ready.
    strategy {
      type = "RollingUpdate"

      rolling_update {
        max_surge       = "1"
        max_unavailable = "0"
      }
    }

    template {
      metadata {
        labels = { app = each.value.name }
      }

      spec {
        service_account_name             = each.value.name
        automount_service_account_token  = false
        enable_service_links             = false
        termination_grace_period_seconds = each.value.pre_stop_seconds + var.drain_seconds + each.value.margin_seconds

        dynamic "image_pull_secrets" {
          for_each = var.image_pull_secret[*]

          content {
            name = image_pull_secrets.value
          }
        }

        security_context {
          run_as_non_root = true
          run_as_user     = 10001
          run_as_group    = 10001

          seccomp_profile {
            type = "RuntimeDefault"
          }
        }

        # Pods are spread over the zones if possible; a full zone blocks no pod.
        topology_spread_constraint {
          max_skew           = 1
          topology_key       = "topology.kubernetes.io/zone"
          when_unsatisfiable = "ScheduleAnyway"

          label_selector {
            match_labels = { app = each.value.name }
          }
        }

        container {
          name  = each.value.name
          image = each.value.image

          dynamic "port" {
            for_each = each.value.ports

            content {
              name           = port.key
              container_port = port.value
              protocol       = "TCP"
            }
          }

          dynamic "env" {
            for_each = merge(local.environment, each.value.environment)

            content {
              name  = env.key
              value = tostring(env.value)
            }
          }

          # One process, so at most one core. Its settings bound the e-mails that it holds in memory, to 128 MiB.
          resources {
            requests = { cpu = "250m", memory = "192Mi" }
            limits   = { cpu = "1", memory = "512Mi" }
          }

          # run_as_non_root is repeated: the provider sends false for what is left out, and a container overrides its
          # pod.
          security_context {
            run_as_non_root            = true
            allow_privilege_escalation = false
            privileged                 = false
            read_only_root_filesystem  = true

            capabilities {
              drop = ["ALL"]
            }
          }

          lifecycle {
            pre_stop {
              exec {
                command = ["python", "-c", "import time; time.sleep(${each.value.pre_stop_seconds})"]
              }
            }
          }

          # The service has a minute to read its settings from SSM and to open the port.
          startup_probe {
            period_seconds    = 2
            timeout_seconds   = 3
            failure_threshold = 30

            http_get {
              path = "/livez"
              port = "private"
            }
          }

          # /livez answers 503 when the event loop has been stuck for 2 s.
          liveness_probe {
            period_seconds    = 10
            timeout_seconds   = 3
            failure_threshold = 3

            http_get {
              path = "/livez"
              port = "private"
            }
          }

          readiness_probe {
            period_seconds    = 5
            timeout_seconds   = 3
            failure_threshold = 2

            http_get {
              path = "/readyz"
              port = "private"
            }
          }
        }
      }
    }
  }

  lifecycle {
    # Pipelines set the image and autoscalers set the replicas. The next apply must undo neither.
    ignore_changes = [spec[0].replicas, spec[0].template[0].spec[0].container[0].image]
  }

  # A pod gets its role only when it is created, so all of this comes first.
  depends_on = [
    module.eks,
    aws_eks_pod_identity_association.intake,
    aws_eks_pod_identity_association.broker,
    aws_iam_role_policy.intake,
    aws_iam_role_policy.broker,
    kubernetes_service_account_v1.service,
    kubernetes_network_policy_v1.egress,
    kubernetes_network_policy_v1.ingress,
  ]
}
