# Where prod is: an account of its own. Terraform reads this as variables and as the settings of its backend, which refuse
# any other account. The zeros stand for the account's number.
bucket              = "orders-state-000000000000-eu-west-1"
region              = "eu-west-1"
allowed_account_ids = ["000000000000"]
