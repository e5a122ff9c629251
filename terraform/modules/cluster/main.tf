# The capacity for tasks: Fargate, Fargate Spot, or machines of our own.

locals {
  ec2 = var.capacity.kind == "ec2"

  # The one base task of a spot environment is not spot, so that a shortage never ends all tasks.
  strategies = {
    fargate = [{ provider = "FARGATE", weight = 1, base = 0 }]
    fargate_spot = [
      { provider = "FARGATE", weight = 0, base = 1 },
      { provider = "FARGATE_SPOT", weight = 1, base = 0 },
    ]
    ec2 = [{ provider = var.name, weight = 1, base = 0 }]
  }
}

resource "aws_ecs_cluster" "this" {
  #checkov:skip=CKV_AWS_65:an environment chooses whether it pays for Container Insights
  name = var.name

  setting {
    name  = "containerInsights"
    value = var.container_insights ? "enabled" : "disabled"
  }
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  cluster_name       = aws_ecs_cluster.this.name
  capacity_providers = local.ec2 ? [aws_ecs_capacity_provider.machines[0].name] : ["FARGATE", "FARGATE_SPOT"]
}
