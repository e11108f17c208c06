# What the deploy pipelines may do: set the image of the two deployments, watch the rollout, roll back, find the
# service.
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
