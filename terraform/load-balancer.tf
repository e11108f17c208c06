# The load balancer that clients post to, in front of the intake.

locals {
  # A classic load balancer, which EKS creates for a service of this type.
  # https://docs.aws.amazon.com/eks/latest/userguide/network-load-balancing.html
  load_balancer = {
    "service.beta.kubernetes.io/aws-load-balancer-connection-draining-enabled" = "true"
    "service.beta.kubernetes.io/aws-load-balancer-connection-draining-timeout" = tostring(var.drain_seconds)
  }
  # The load balancer ends TLS and passes TCP on. If it spoke HTTP, it would keep idle connections to the intake, which
  # the intake would close first, and requests on them would fail.
  load_balancer_tls = var.load_balancer_certificate_arn == null ? {} : {
    "service.beta.kubernetes.io/aws-load-balancer-backend-protocol"       = "tcp"
    "service.beta.kubernetes.io/aws-load-balancer-ssl-cert"               = var.load_balancer_certificate_arn
    "service.beta.kubernetes.io/aws-load-balancer-ssl-negotiation-policy" = "ELBSecurityPolicy-TLS-1-2-2017-01"
    "service.beta.kubernetes.io/aws-load-balancer-ssl-ports"              = tostring(var.service_port)
  }

  load_balancer_host = try(kubernetes_service_v1.intake.status[0].load_balancer[0].ingress[0].hostname, "not-known-yet")
  # EKS gives it a name, which its host begins with: [internal-]<name>-<number>.<region>.elb.amazonaws.com
  load_balancer_name = try(regex("^(?:internal-)?([^.]+)-[0-9]+[.]", local.load_balancer_host)[0], "not-known-yet")
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

  depends_on = [module.eks, kubernetes_namespace_v1.checkpoint]
}
