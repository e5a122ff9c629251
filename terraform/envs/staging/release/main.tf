# The size of staging, and the recipients of its alarms.

module "release" {
  source = "../../../modules/release"

  foundation = data.terraform_remote_state.foundation.outputs.release
  images     = var.images

  services = {
    order-api = {
      size  = { cpu = 256, memory = 512 }
      tasks = { min = 2, max = 4, requests_per_minute = 3000 }
    }
    order-processor = {
      size  = { cpu = 256, memory = 512 }
      tasks = { min = 2, max = 4 }
    }
    # Where the foundation has reporting.
    order-reporting = {
      size  = { cpu = 256, memory = 512 }
      tasks = { min = 1, max = 2 }
    }
    reporting-consumer = {
      size  = { cpu = 256, memory = 512 }
      tasks = { min = 1, max = 2 }
    }
  }

  emails         = ["orders@example.com"]
  monthly_budget = 170
}
