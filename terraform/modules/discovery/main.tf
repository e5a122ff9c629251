# Names by which services find each other, known in the network only.

resource "aws_service_discovery_private_dns_namespace" "this" {
  name        = var.namespace
  description = "Services of ${var.name}"
  vpc         = var.vpc_id
}

resource "aws_service_discovery_service" "this" {
  for_each = var.services

  name = each.key
  # Tasks that ECS has not removed yet do not block a destroy.
  force_destroy = true

  dns_config {
    namespace_id   = aws_service_discovery_private_dns_namespace.this.id
    routing_policy = "MULTIVALUE"

    dns_records {
      type = "SRV"
      # Seconds. A caller looks the name up again after them, and tries the next target when one is dead.
      ttl = 10
    }
  }
}
