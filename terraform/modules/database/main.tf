# PostgreSQL databases in the private network.

locals {
  # The connections that a database admits; an alarm watches 80 % of them. A small instance has memory for them.
  connections = 100
}

module "mapping" {
  source = "./mapping"

  folder = var.folder
  names  = var.names
}

resource "aws_db_subnet_group" "this" {
  for_each = module.mapping.databases

  name       = "${var.name_prefix}${each.key}"
  subnet_ids = var.subnet_ids
}

resource "aws_security_group" "this" {
  #checkov:skip=CKV2_AWS_5:the database of the same name is in it
  for_each = module.mapping.databases

  name_prefix = "${var.name_prefix}${each.key}-"
  description = "Database ${each.key}"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name_prefix}${each.key}" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_db_parameter_group" "this" {
  for_each = module.mapping.databases

  name_prefix = "${var.name_prefix}${each.key}-"
  description = "Parameters of ${each.key}"
  family      = each.value.family

  # Without TLS no connection is admitted.
  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  parameter {
    name         = "max_connections"
    value        = tostring(local.connections)
    apply_method = "pending-reboot"
  }

  parameter {
    name  = "log_statement"
    value = "ddl"
  }

  # Milliseconds.
  parameter {
    name  = "log_min_duration_statement"
    value = "1000"
  }

  lifecycle {
    create_before_destroy = true
  }
}

# RDS would make it without an end of retention.
resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_158:AWS's own key: the log has no values, and a key of ours can be lost
  #checkov:skip=CKV_AWS_338:an environment sets the retention of its logs
  for_each = module.mapping.databases

  name              = "/aws/rds/instance/${var.name_prefix}${each.key}/postgresql"
  retention_in_days = var.log_days
}

resource "aws_db_instance" "this" {
  #checkov:skip=CKV_AWS_118:metrics of the instance's processes cost by the gigabyte; they are turned on for a question and off again
  #checkov:skip=CKV_AWS_157:an environment sets its protection; production has a standby
  #checkov:skip=CKV_AWS_293:an environment sets its protection; production is protected
  #checkov:skip=CKV_AWS_353:the smallest instances have no room for it
  for_each = module.mapping.databases

  identifier        = "${var.name_prefix}${each.key}"
  engine            = "postgres"
  engine_version    = each.value.version
  instance_class    = each.value.class
  allocated_storage = each.value.storage
  storage_type      = each.value.storage_as
  storage_encrypted = true
  # The storage grows by itself to twice the size that the file names, unless it names an end.
  max_allocated_storage = coalesce(each.value.storage_max, 2 * each.value.storage)

  db_name                             = each.value.name
  port                                = each.value.port
  username                            = each.value.user
  manage_master_user_password         = true
  iam_database_authentication_enabled = true

  db_subnet_group_name   = aws_db_subnet_group.this[each.key].name
  vpc_security_group_ids = [aws_security_group.this[each.key].id]
  publicly_accessible    = false
  multi_az               = var.protected

  parameter_group_name            = aws_db_parameter_group.this[each.key].name
  enabled_cloudwatch_logs_exports = ["postgresql"]
  auto_minor_version_upgrade      = true

  backup_retention_period   = var.backup_days
  copy_tags_to_snapshot     = true
  delete_automated_backups  = !var.protected
  deletion_protection       = var.protected
  skip_final_snapshot       = !var.protected
  final_snapshot_identifier = var.protected ? "${var.name_prefix}${each.key}-final" : null

  depends_on = [aws_cloudwatch_log_group.this]
}
