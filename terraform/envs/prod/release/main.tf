# The size of prod, and the recipients of its alarms.

module "release" {
  source = "../../../modules/release"

  foundation = data.terraform_remote_state.foundation.outputs.release
  images     = var.images

  services = {
    order-api = {
      size  = { cpu = 512, memory = 1024 }
      tasks = { min = 3, max = 30, requests_per_minute = 6000 }
    }
    order-processor = {
      size  = { cpu = 512, memory = 1024 }
      tasks = { min = 3, max = 30 }
    }
    # Where the foundation has reporting.
    order-reporting = {
      size  = { cpu = 256, memory = 512 }
      tasks = { min = 2, max = 4 }
    }
    reporting-consumer = {
      size  = { cpu = 256, memory = 512 }
      tasks = { min = 2, max = 4 }
    }
  }

  emails         = ["orders@example.com"]
  monthly_budget = 600
}
