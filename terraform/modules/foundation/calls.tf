# The permitted calls: the only ways between the load balancer and the services.

resource "aws_vpc_security_group_egress_rule" "balancer_to_service" {
  security_group_id            = module.load_balancer.security_group_id
  description                  = "to ${local.public}"
  referenced_security_group_id = module.access[local.public].security_group_id
  ip_protocol                  = "tcp"
  from_port                    = local.services[local.public].port
  to_port                      = local.services[local.public].port
}

resource "aws_vpc_security_group_ingress_rule" "balancer_to_service" {
  security_group_id            = module.access[local.public].security_group_id
  description                  = "from the load balancer"
  referenced_security_group_id = module.load_balancer.security_group_id
  ip_protocol                  = "tcp"
  from_port                    = local.services[local.public].port
  to_port                      = local.services[local.public].port
}

resource "aws_vpc_security_group_egress_rule" "service_to_service" {
  for_each = local.calls

  security_group_id            = module.access[each.value.from].security_group_id
  description                  = "to ${each.value.to}"
  referenced_security_group_id = module.access[each.value.to].security_group_id
  ip_protocol                  = "tcp"
  from_port                    = local.services[each.value.to].port
  to_port                      = local.services[each.value.to].port
}

resource "aws_vpc_security_group_ingress_rule" "service_to_service" {
  for_each = local.calls

  security_group_id            = module.access[each.value.to].security_group_id
  description                  = "from ${each.value.from}"
  referenced_security_group_id = module.access[each.value.from].security_group_id
  ip_protocol                  = "tcp"
  from_port                    = local.services[each.value.to].port
  to_port                      = local.services[each.value.to].port
}
