# What may reach a pod. The public port: the load balancer, whose traffic comes through the nodes, so from vpc_cidr. The
# private port: the monitoring namespace. Probes come from the pod's own node, which is always allowed.
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

# What a pod may reach: DNS, AWS, and the agent that gives it its role. Not other pods, not the cluster's API, and not
# the node's metadata service. AWS's services have no fixed addresses, so port 443 is open to the internet. Interface
# endpoints would be inside vpc_cidr, and would need a rule of their own.
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
