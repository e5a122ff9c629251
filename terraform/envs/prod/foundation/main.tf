# Three independent zones, protection against deletion by mistake, HTTPS.

module "foundation" {
  source = "../../../modules/foundation"

  environment = "prod"
  account_id  = var.allowed_account_ids[0]
  region      = var.region
  bucket      = var.bucket
  repository  = "example/orders"

  network = {
    cidr  = "10.40.0.0/16"
    zones = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
    nat   = "per_zone"
  }

  capacity           = { kind = "fargate" }
  container_insights = true

  domain     = { name = "orders.example.com", zone_id = "Z0000000000000000000" }
  plain_http = false

  protected                   = true
  point_in_time_recovery_days = 35
  seeds                       = null
  log_days                    = 400

  # Reports need a database; docs/aws.md has the costs of both parts.
  reporting = false
  low_stock = false

  readers = var.readers
}
