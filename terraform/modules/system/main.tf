# The order system in AWS: the counterpart of compose/compose.yaml, with which terraform/checks
# compares it. This module needs no provider and creates nothing.

locals {
  # The settings of every program. Lists and maps of rights name the calls of its code, and no others: terraform/checks compares them with
  # the tests' calls.
  common = {
    part = null
    port = 8000
    # The images' own user, which owns no file.
    user        = "65532:65532"
    command     = []
    environment = { LOG_FORMAT = "json", RUST_LOG = "info" }
    public      = false
    # By variable: the name of the table, queue, topic or database whose name, URL or ARN is its value.
    tables    = {}
    queues    = {}
    topics    = {}
    databases = {}
    # By variable: the service whose SRV name is its value.
    discovers = {}
    # Whether programs in the network may call it, found by its SRV records.
    internal = false
    # The one-shot service that must succeed before each of its tasks: its name and its command.
    prepared_by = null
    # By table: actions on it and, by index, on the index. By queue and by topic: actions on it.
    permissions   = {}
    queue_actions = {}
    topic_actions = {}
  }

  order_tables = { ORDERS_TABLE = "orders", INVENTORY_TABLE = "inventory", RESERVATIONS_TABLE = "reservations" }

  programs = {
    order-api = merge(local.common, {
      health_check = ["CMD", "/order-api", "healthcheck"]
      # Reached through the load balancer.
      public    = true
      tables    = local.order_tables
      topics    = { ORDER_EVENTS_TOPIC_ARN = "order-events" }
      discovers = { ORDER_PROCESSOR_SRV = "order-processor" }
      permissions = {
        orders = {
          actions = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
          indexes = { by_customer = ["dynamodb:Query"], pending = ["dynamodb:Query"], unpublished = ["dynamodb:Query"] }
        }
      }
      topic_actions = { order-events = ["sns:Publish"] }
    })

    order-processor = merge(local.common, {
      health_check = ["CMD", "/order-processor", "healthcheck"]
      tables       = local.order_tables
      permissions = {
        inventory    = { actions = ["dynamodb:GetItem", "dynamodb:UpdateItem"], indexes = {} }
        reservations = { actions = ["dynamodb:GetItem", "dynamodb:PutItem"], indexes = {} }
      }
    })

    order-reporting = merge(local.common, {
      part         = "reporting"
      health_check = ["CMD", "/order-reporting", "healthcheck"]
      command      = ["serve"]
      internal     = true
      databases    = { DATABASE_URL = "reporting-database" }
      prepared_by  = { service = "reporting-migrate", command = ["migrate"] }
    })

    reporting-consumer = merge(local.common, {
      part         = "reporting"
      health_check = ["CMD", "/order-reporting", "healthcheck"]
      command      = ["consume"]
      databases    = { DATABASE_URL = "reporting-database" }
      queues       = { REPORTING_QUEUE_URL = "reporting" }
      prepared_by  = { service = "reporting-migrate", command = ["migrate"] }
      queue_actions = {
        reporting = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"]
      }
    })

    low-stock = merge(local.common, {
      part          = "low_stock"
      health_check  = []
      topics        = { STOCK_EVENTS_TOPIC_ARN = "stock-events" }
      topic_actions = { stock-events = ["sns:Publish"] }
    })
  }

  # By name: the input of CreateFunction, less what belongs to a release or to the foundation.
  files     = { for file in fileset(var.functions, "*.json") : trimsuffix(file, ".json") => jsondecode(file("${var.functions}/${file}")) }
  wanted    = { for name, program in local.programs : name => program if program.part == null || contains(var.parts, coalesce(program.part, "-")) }
  services  = { for name, program in local.wanted : name => program if !contains(keys(local.files), name) }
  functions = { for name, program in local.wanted : name => merge(program, { definition = local.files[name] }) if contains(keys(local.files), name) }
}
