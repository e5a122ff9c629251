output "vpc_id" {
  description = "Id of the network."
  value       = aws_vpc.this.id
}

output "public_subnet_ids" {
  description = "One public subnet for each zone."
  value       = [for zone in var.zones : aws_subnet.public[zone].id]
}

output "private_subnet_ids" {
  description = "One private subnet for each zone. Their routes are there once this is known."
  value       = [for zone in var.zones : aws_subnet.private[zone].id]

  depends_on = [aws_route.nat, aws_route_table_association.private, aws_vpc_endpoint.gateway, aws_vpc_endpoint.interface]
}

output "out" {
  description = "The addresses of AWS for tasks over HTTPS: cidr of everything (through NAT) or of the endpoints, and the prefix lists of the gateway endpoints."
  value = {
    cidr         = var.nat == "none" ? var.cidr : "0.0.0.0/0"
    prefix_lists = { for name, endpoint in aws_vpc_endpoint.gateway : name => endpoint.prefix_list_id }
  }
}
