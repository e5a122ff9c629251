# What the order system is made of, as AWS runs it: the counterpart of compose/compose.yaml, which terraform/checks
# compares it with. No provider is asked and nothing is made here.

locals {
  # What every service is told, whatever it is.
  common = {
    port = 8000
    # The images' own user, who owns nothing.
    user = "65532:65532"
    # By variable: the table that it names.
    tables      = { ORDERS_TABLE = "orders", INVENTORY_TABLE = "inventory", RESERVATIONS_TABLE = "reservations" }
    environment = { LOG_FORMAT = "json", RUST_LOG = "info" }
  }

  services = {
    order-api = merge(local.common, {
      health_check = ["CMD", "/order-api", "healthcheck"]
      # Reached through the load balancer.
      public = true
      # By variable: the service whose SRV name it holds.
      discovers = { ORDER_PROCESSOR_SRV = "order-processor" }
      # What the code calls, and nothing else: terraform/checks compares it with the calls that the tests made.
      permissions = {
        orders = {
          actions = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
          indexes = { by_customer = ["dynamodb:Query"], pending = ["dynamodb:Query"] }
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
