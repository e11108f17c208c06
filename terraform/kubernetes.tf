# The workloads: what runs in the cluster, what may reach it and what it may reach.
#
# The two services differ in what the table below says. Everything else is written once, so that one cannot be less
# hardened than the other.

provider "kubernetes" {
  host                   = module.eks.cluster_endpoint
  cluster_ca_certificate = base64decode(module.eks.cluster_certificate_authority_data)

  # A token of 15 minutes, made when it is needed: nothing to keep.
  exec {
    api_version = "client.authentication.k8s.io/v1beta1"
    command     = "aws"
    args        = ["eks", "get-token", "--region", var.region, "--cluster-name", module.eks.cluster_name]
  }
}

locals {
  tag = var.image_tag == null ? "" : ":${var.image_tag}"

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
      image        = "${var.image_namespace}/checkpoint-processing_requests${local.tag}"
      replicas     = var.intake_replicas
      max_replicas = var.intake_max_replicas
      ports        = { public = 5001, private = 9001 }

      # It goes on serving while load balancer and nodes learn that the pod is about to end. SIGTERM comes after.
      pre_stop_seconds = 10
      # After draining requests it waits for the queue's last confirmation: QUEUE_TIMEOUT_SECONDS, 5. And as much again.
      margin_seconds = 10
      environment = {
        DRAIN_SECONDS = var.drain_seconds
        HOST          = "0.0.0.0"
        PORT          = 5001
        PRIVATE_PORT  = 9001
        TOKEN         = "ssm:${aws_ssm_parameter.token.name}"
      }
    }
    broker = {
      name         = var.broker_name
      image        = "${var.image_namespace}/checkpoint-messages_broker${local.tag}"
      replicas     = var.broker_replicas
      max_replicas = var.broker_max_replicas
      ports        = { private = 9002 }

      pre_stop_seconds = 0 # nothing leads to it
      # After the grace it hands back what it holds, in calls of at most 10 s. What a kill interrupts comes again.
      margin_seconds = 15
      environment = {
        ARCHIVE_URL   = "ssm:${aws_ssm_parameter.archive_url.name}"
        GRACE_SECONDS = var.drain_seconds
        PRIVATE_PORT  = 9002
      }
    }
  }

  # A classic load balancer, which Kubernetes makes by itself on EKS.
  # https://docs.aws.amazon.com/eks/latest/userguide/network-load-balancing.html
  load_balancer = {
    "service.beta.kubernetes.io/aws-load-balancer-connection-draining-enabled" = "true"
    "service.beta.kubernetes.io/aws-load-balancer-connection-draining-timeout" = tostring(var.drain_seconds)
  }
  # TLS ends there, and what is inside is passed on as it comes: a load balancer that reads HTTP keeps connections of its own
  # to the intake, which would close them first.
  load_balancer_tls = var.load_balancer_certificate_arn == null ? {} : {
    "service.beta.kubernetes.io/aws-load-balancer-backend-protocol"       = "tcp"
    "service.beta.kubernetes.io/aws-load-balancer-ssl-cert"               = var.load_balancer_certificate_arn
    "service.beta.kubernetes.io/aws-load-balancer-ssl-negotiation-policy" = "ELBSecurityPolicy-TLS-1-2-2017-01"
    "service.beta.kubernetes.io/aws-load-balancer-ssl-ports"              = tostring(var.service_port)
  }

  load_balancer_host = try(kubernetes_service_v1.intake.status[0].load_balancer[0].ingress[0].hostname, "not-known-yet")
}

resource "kubernetes_namespace_v1" "checkpoint" {
  count = var.kubernetes_namespace == "default" ? 0 : 1

  metadata {
    name   = var.kubernetes_namespace
    labels = { "pod-security.kubernetes.io/enforce" = "restricted" }
  }

  depends_on = [module.eks]
}

# It carries a role of AWS (eks-cluster.tf), and no right in the cluster; so no token of it is mounted either.
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
    revision_history_limit    = 10 # what a rollback can go back to

    selector {
      match_labels = { app = each.value.name }
    }

    # No pod ends before the one that takes its place is ready.
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

        # Over the zones where that can be; a zone without room stops nobody.
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

          # One process, so at most one core. What it may hold is bounded by its settings, at 128 MiB beside itself.
          resources {
            requests = { cpu = "250m", memory = "192Mi" }
            limits   = { cpu = "1", memory = "512Mi" }
          }

          security_context {
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

          # A minute to read the settings from SSM and to open the port.
          startup_probe {
            period_seconds    = 2
            timeout_seconds   = 3
            failure_threshold = 30

            http_get {
              path = "/livez"
              port = "private"
            }
          }

          # It answers 503 by itself after 2 s, when the event loop is stuck.
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
    # Pipelines deploy images and autoscalers count replicas: the next apply must undo neither.
    ignore_changes = [spec[0].replicas, spec[0].template[0].spec[0].container[0].image]
  }

  # A pod gets its role when it is created, or not at all.
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

resource "kubernetes_service_v1" "intake" {
  metadata {
    name        = var.intake_service_name
    namespace   = var.kubernetes_namespace
    annotations = merge(local.load_balancer, local.load_balancer_tls)
  }

  spec {
    type                        = "LoadBalancer"
    selector                    = { app = var.intake_name }
    load_balancer_source_ranges = var.load_balancer_source_ranges

    port {
      name        = "http"
      port        = var.service_port
      target_port = "public"
      protocol    = "TCP"
    }
  }

  # At the end the load balancer has to go before the network that it stands in.
  depends_on = [module.eks, module.vpc, kubernetes_namespace_v1.checkpoint]
}

# One at a time when nodes are emptied. With a single replica that is a short gap; to allow none would keep the node
# from ever being emptied, and with it every upgrade.
resource "kubernetes_pod_disruption_budget_v1" "service" {
  for_each = local.services

  metadata {
    name      = each.value.name
    namespace = var.kubernetes_namespace
  }

  spec {
    max_unavailable = "1"

    selector {
      match_labels = { app = each.value.name }
    }
  }

  depends_on = [module.eks, kubernetes_namespace_v1.checkpoint]
}

resource "kubernetes_horizontal_pod_autoscaler_v2" "service" {
  for_each = { for role, service in local.services : role => service if role == "intake" || !var.keda_enabled }

  metadata {
    name      = each.value.name
    namespace = var.kubernetes_namespace
  }

  spec {
    min_replicas = each.value.replicas
    max_replicas = each.value.max_replicas

    scale_target_ref {
      api_version = "apps/v1"
      kind        = "Deployment"
      name        = each.value.name
    }

    metric {
      type = "Resource"

      resource {
        name = "cpu"

        target {
          type                = "Utilization"
          average_utilization = var.cpu_target_percent
        }
      }
    }
  }

  depends_on = [kubernetes_deployment_v1.service]
}

# The broker by the queue's length. The operator asks SQS under its own role, which needs sqs:GetQueueAttributes on the
# queue; nothing else in the cluster does.
resource "kubernetes_manifest" "broker_by_queue_length" {
  count = var.keda_enabled ? 1 : 0

  manifest = {
    apiVersion = "keda.sh/v1alpha1"
    kind       = "ScaledObject"
    metadata = {
      name      = var.broker_name
      namespace = var.kubernetes_namespace
    }
    spec = {
      scaleTargetRef  = { name = var.broker_name }
      minReplicaCount = var.broker_replicas
      maxReplicaCount = var.broker_max_replicas
      triggers = [{
        type = "aws-sqs-queue"
        metadata = {
          awsRegion     = var.region
          identityOwner = "operator"
          queueLength   = tostring(var.keda_messages_per_replica)
          queueURL      = aws_sqs_queue.main.url
        }
      }]
    }
  }

  depends_on = [kubernetes_deployment_v1.service]
}

# What may reach a pod: the public port through the load balancer, which sends by way of the nodes, so from the network;
# the private port from where metrics are read. Probes come from the pod's own node, which is always let through.
# https://kubernetes.io/docs/concepts/services-networking/network-policies/
resource "kubernetes_network_policy_v1" "ingress" {
  for_each = local.services

  metadata {
    name      = "${each.value.name}-ingress"
    namespace = var.kubernetes_namespace
  }

  spec {
    policy_types = ["Ingress"]

    pod_selector {
      match_labels = { app = each.value.name }
    }

    dynamic "ingress" {
      for_each = { for name, port in each.value.ports : name => port if name == "public" }

      content {
        ports {
          port     = tostring(ingress.value)
          protocol = "TCP"
        }
        from {
          ip_block {
            cidr = var.vpc_cidr
          }
        }
      }
    }

    ingress {
      ports {
        port     = tostring(each.value.ports.private)
        protocol = "TCP"
      }
      from {
        namespace_selector {
          match_labels = { "kubernetes.io/metadata.name" = var.monitoring_namespace }
        }
      }
    }
  }

  depends_on = [module.eks, kubernetes_namespace_v1.checkpoint]
}

# What a pod may reach: names, AWS, and the agent that gives it its role. Not its neighbours, not the cluster's API, and
# not the node's metadata service. AWS has no fixed addresses; with interface endpoints, those are inside vpc_cidr.
resource "kubernetes_network_policy_v1" "egress" {
  for_each = local.services

  metadata {
    name      = "${each.value.name}-egress"
    namespace = var.kubernetes_namespace
  }

  spec {
    policy_types = ["Egress"]

    pod_selector {
      match_labels = { app = each.value.name }
    }

    egress {
      ports {
        port     = "53"
        protocol = "UDP"
      }
      ports {
        port     = "53"
        protocol = "TCP"
      }
      to {
        namespace_selector {
          match_labels = { "kubernetes.io/metadata.name" = "kube-system" }
        }
        pod_selector {
          match_labels = { "k8s-app" = "kube-dns" }
        }
      }
    }

    egress {
      ports {
        port     = "443"
        protocol = "TCP"
      }
      to {
        ip_block {
          cidr   = "0.0.0.0/0"
          except = [var.vpc_cidr, var.service_cidr, "169.254.0.0/16"]
        }
      }
    }

    # The Pod Identity agent of the pod's own node.
    # https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html
    egress {
      ports {
        port     = "80"
        protocol = "TCP"
      }
      to {
        ip_block {
          cidr = "169.254.170.23/32"
        }
      }
    }
  }

  depends_on = [module.eks, kubernetes_namespace_v1.checkpoint]
}

# What the deploy pipelines may do: set the image of the two deployments, wait for it, take it back, find the service.
resource "kubernetes_role_v1" "deployer" {
  metadata {
    name      = "checkpoint-deployer"
    namespace = var.kubernetes_namespace
  }

  rule {
    api_groups     = ["apps"]
    resources      = ["deployments"]
    resource_names = [var.intake_name, var.broker_name]
    verbs          = ["get", "list", "watch", "patch"]
  }

  rule {
    api_groups = ["apps"]
    resources  = ["replicasets"]
    verbs      = ["get", "list", "watch"]
  }

  rule {
    api_groups = [""]
    resources  = ["pods", "events"]
    verbs      = ["get", "list", "watch"]
  }

  rule {
    api_groups     = [""]
    resources      = ["services"]
    resource_names = [var.intake_service_name]
    verbs          = ["get"]
  }

  depends_on = [module.eks, kubernetes_namespace_v1.checkpoint]
}

resource "kubernetes_role_binding_v1" "deployer" {
  metadata {
    name      = "checkpoint-deployer"
    namespace = var.kubernetes_namespace
  }

  role_ref {
    api_group = "rbac.authorization.k8s.io"
    kind      = "Role"
    name      = "checkpoint-deployer"
  }

  subject {
    api_group = "rbac.authorization.k8s.io"
    kind      = "Group"
    name      = local.deployers
  }

  depends_on = [kubernetes_role_v1.deployer]
}
