output "databases" {
  description = "By identifier in its file: identifier (in metrics), url (without a password), port, the ARN of its owner for logins with a role, security group, connections and storage (bytes) it has."
  value = {
    for name, database in aws_db_instance.this : name => {
      identifier        = database.identifier
      url               = "postgres://${module.mapping.databases[name].user}@${database.address}:${database.port}/${module.mapping.databases[name].name}"
      port              = database.port
      user_arn          = "arn:aws:rds-db:${var.region}:${var.account_id}:dbuser:${database.resource_id}/${module.mapping.databases[name].user}"
      security_group_id = aws_security_group.this[name].id
      connections       = local.connections
      storage           = module.mapping.databases[name].storage * 1024 * 1024 * 1024
    }
  }
}

output "definitions" {
  description = "By identifier: the content of its file."
  value       = module.mapping.files

  depends_on = [aws_db_instance.this]
}
