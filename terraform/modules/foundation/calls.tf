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

# Programs of the network may ask for reports and the like; the load balancer does not lead there.
resource "aws_vpc_security_group_ingress_rule" "network_to_service" {
  for_each = { for name, service in local.services : name => service if service.internal }

  security_group_id = module.access[each.key].security_group_id
  description       = "from the network"
  cidr_ipv4         = var.network.cidr
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
}

locals {
  identities = merge(
    { for name, access in module.access : name => access.security_group_id },
    { for name, access in module.function_access : name => access.security_group_id },
  )
  logins = merge([
    for name, program in local.programs : {
      for database in distinct(values(program.databases)) : "${name} to ${database}" => { program = name, database = database }
    }
  ]...)
}

resource "aws_vpc_security_group_egress_rule" "program_to_database" {
  for_each = local.logins

  security_group_id            = local.identities[each.value.program]
  description                  = "to ${each.value.database}"
  referenced_security_group_id = module.database.databases[each.value.database].security_group_id
  ip_protocol                  = "tcp"
  from_port                    = module.database.databases[each.value.database].port
  to_port                      = module.database.databases[each.value.database].port
}

resource "aws_vpc_security_group_ingress_rule" "program_to_database" {
  for_each = local.logins

  security_group_id            = module.database.databases[each.value.database].security_group_id
  description                  = "from ${each.value.program}"
  referenced_security_group_id = local.identities[each.value.program]
  ip_protocol                  = "tcp"
  from_port                    = module.database.databases[each.value.database].port
  to_port                      = module.database.databases[each.value.database].port
}
