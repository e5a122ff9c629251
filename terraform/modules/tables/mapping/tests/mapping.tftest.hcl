run "the_projects_own_tables" {
  command = plan

  variables {
    folder = "../../../tables"
  }

  assert {
    condition     = toset(keys(output.tables)) == toset(["inventory", "orders", "reservations"])
    error_message = "one table a file"
  }
  assert {
    condition     = output.tables["orders"].hash_key == "order_id" && output.tables["orders"].range_key == null
    error_message = "the key of orders"
  }
  assert {
    condition     = output.tables["orders"].global_indexes["by_customer"].range_key == "created_at"
    error_message = "the key of by_customer"
  }
  assert {
    condition     = output.tables["orders"].global_indexes["pending"].projection_type == "KEYS_ONLY"
    error_message = "the projection of pending"
  }
  assert {
    condition     = output.tables["inventory"].billing_mode == "PAY_PER_REQUEST" && output.tables["inventory"].read_capacity == null
    error_message = "on demand"
  }
}

run "a_provisioned_table_with_every_kind_of_index" {
  command = plan

  variables {
    folder = "tests/fixtures/provisioned"
  }

  assert {
    condition     = output.tables["events"].read_capacity == 5 && output.tables["events"].global_indexes["by_kind"].write_capacity == 2
    error_message = "capacities"
  }
  assert {
    condition     = output.tables["events"].local_indexes["by_size"].range_key == "size" && output.tables["events"].attributes["size"] == "N"
    error_message = "a local index"
  }
}

run "no_folder" {
  command = plan
  variables {
    folder = "tests/fixtures/nowhere"
  }
  expect_failures = [var.folder]
}

run "not_json" {
  command = plan
  variables {
    folder = "tests/fixtures/not-json"
  }
  expect_failures = [output.tables]
}

run "an_unknown_key" {
  command = plan
  variables {
    folder = "tests/fixtures/unknown-key"
  }
  expect_failures = [output.tables]
}

run "a_key_without_a_type" {
  command = plan
  variables {
    folder = "tests/fixtures/undefined-key"
  }
  expect_failures = [output.tables]
}

run "an_attribute_that_no_key_uses" {
  command = plan
  variables {
    folder = "tests/fixtures/unused-attribute"
  }
  expect_failures = [output.tables]
}

run "an_index_that_projects_nothing" {
  command = plan
  variables {
    folder = "tests/fixtures/no-projection"
  }
  expect_failures = [output.tables]
}

run "provisioned_without_a_capacity" {
  command = plan
  variables {
    folder = "tests/fixtures/no-capacity"
  }
  expect_failures = [output.tables]
}

run "two_files_for_one_table" {
  command = plan
  variables {
    folder = "tests/fixtures/twice"
  }
  expect_failures = [output.tables]
}
