# No way out at all, AWS through endpoints: the tasks need nothing from the internet.

module "foundation" {
  source = "../../../modules/foundation"

  environment = "staging"
  account_id  = var.allowed_account_ids[0]
  region      = var.region
  bucket      = var.bucket
  repository  = "example/orders"

  network = {
    cidr  = "10.30.0.0/16"
    zones = ["eu-west-1a", "eu-west-1b"]
    nat   = "none"
  }

  capacity           = { kind = "fargate" }
  container_insights = false

  domain     = null
  plain_http = true

  protected                   = false
  point_in_time_recovery_days = 7
  seeds                       = "${path.root}/../../../../dynamodb-local/seed"
  log_days                    = 14

  # Reports need a database; docs/aws.md has the costs of both parts.
  reporting = false
  low_stock = false

  readers = var.readers
}
