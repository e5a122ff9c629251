# The order system in AWS: the counterpart of compose/compose.yaml, with which terraform/checks
# compares it. This module needs no provider and creates nothing.

locals {
  # The settings of every service.
  common = {
    port = 8000
    # The images' own user, which owns no file.
    user = "65532:65532"
    # By variable: the name of the table in its value.
    tables      = { ORDERS_TABLE = "orders", INVENTORY_TABLE = "inventory", RESERVATIONS_TABLE = "reservations" }
    environment = { LOG_FORMAT = "json", RUST_LOG = "info" }
  }

  services = {
    order-api = merge(local.common, {
      health_check = ["CMD", "/order-api", "healthcheck"]
      # Reached through the load balancer.
      public = true
      # By variable: the service whose SRV name is its value.
      discovers = { ORDER_PROCESSOR_SRV = "order-processor" }
      # The calls of the code, and no others: terraform/checks compares them with the tests' calls.
      permissions = {
        orders = {
          actions = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
          indexes = { by_customer = ["dynamodb:Query"], pending = ["dynamodb:Query"], unpublished = ["dynamodb:Query"] }
        }
      }
    })

    order-processor = merge(local.common, {
      health_check = ["CMD", "/order-processor", "healthcheck"]
      public       = false
      discovers    = {}
      permissions = {
        inventory    = { actions = ["dynamodb:GetItem", "dynamodb:UpdateItem"], indexes = {} }
        reservations = { actions = ["dynamodb:GetItem", "dynamodb:PutItem"], indexes = {} }
      }
    })
  }
}
