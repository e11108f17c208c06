# How many pods run: an autoscaler per service, and a disruption budget for when nodes are drained.

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

# Scales the broker by the queue's length. KEDA's operator asks SQS under its own role, which needs
# sqs:GetQueueAttributes on the queue.
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

# When nodes are drained, one pod of a service at a time is evicted. With a single replica that is a short gap. A budget
# of 0 would block the drain, and so every upgrade of the nodes.
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
