# Only with capacity.kind = "ec2": an auto scaling group that ECS grows, shrinks and drains.

resource "aws_ecs_capacity_provider" "machines" {
  count = local.ec2 ? 1 : 0

  name = var.name

  auto_scaling_group_provider {
    auto_scaling_group_arn         = aws_autoscaling_group.machines[0].arn
    managed_termination_protection = "ENABLED"
    managed_draining               = "ENABLED"

    managed_scaling {
      status          = "ENABLED"
      target_capacity = 100
    }
  }
}

resource "aws_autoscaling_group" "machines" {
  count = local.ec2 ? 1 : 0

  name_prefix           = "${var.name}-"
  vpc_zone_identifier   = var.subnet_ids
  min_size              = 0
  max_size              = var.capacity.max_instances
  protect_from_scale_in = true

  # A destroy does not wait for tasks that have ended.
  force_delete = true

  launch_template {
    id      = aws_launch_template.machines[0].id
    version = aws_launch_template.machines[0].latest_version
  }

  instance_refresh {
    strategy = "Rolling"
    preferences {
      scale_in_protected_instances = "Refresh"
    }
  }

  # ECS adds this tag; without this block Terraform would remove it again.
  tag {
    key                 = "AmazonECSManaged"
    value               = "true"
    propagate_at_launch = true
  }

  tag {
    key                 = "Name"
    value               = var.name
    propagate_at_launch = true
  }

  lifecycle {
    # ECS decides the number.
    ignore_changes = [desired_capacity]
  }
}

resource "aws_launch_template" "machines" {
  count = local.ec2 ? 1 : 0

  name_prefix   = "${var.name}-"
  instance_type = var.capacity.instance_type
  # AWS looks it up when a machine starts, not Terraform.
  image_id = "resolve:ssm:/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"

  user_data = base64encode(<<-SETTINGS
    #!/bin/sh
    echo ECS_CLUSTER=${aws_ecs_cluster.this.name} >> /etc/ecs/ecs.config
  SETTINGS
  )

  iam_instance_profile {
    arn = aws_iam_instance_profile.machines[0].arn
  }

  network_interfaces {
    associate_public_ip_address = false
    security_groups             = [aws_security_group.machines[0].id]
  }

  metadata_options {
    http_endpoint = "enabled"
    http_tokens   = "required"
    # A task has a network interface of its own and cannot reach the metadata.
    http_put_response_hop_limit = 1
  }

  block_device_mappings {
    device_name = "/dev/xvda"
    ebs {
      encrypted   = true
      volume_type = "gp3"
      volume_size = 30
    }
  }

  monitoring {
    enabled = true
  }
}

resource "aws_security_group" "machines" {
  count = local.ec2 ? 1 : 0

  name_prefix = "${var.name}-machines-"
  description = "Machines of the cluster"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-machines" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_egress_rule" "machines" {
  count = local.ec2 ? 1 : 0

  security_group_id = aws_security_group.machines[0].id
  description       = "HTTPS to AWS"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

data "aws_iam_policy_document" "machines" {
  count = local.ec2 ? 1 : 0

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "machines" {
  count = local.ec2 ? 1 : 0

  name               = "${var.name}-machines"
  assume_role_policy = data.aws_iam_policy_document.machines[0].json
}

# AWS's own list of its agent's calls.
resource "aws_iam_role_policy_attachment" "machines" {
  count = local.ec2 ? 1 : 0

  role       = aws_iam_role.machines[0].name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"
}

resource "aws_iam_instance_profile" "machines" {
  count = local.ec2 ? 1 : 0

  name = "${var.name}-machines"
  role = aws_iam_role.machines[0].name

  depends_on = [aws_iam_role_policy_attachment.machines]
}
