# terraform/checks compares the tables with the emulator's.
run "the_projects_own_tables" {
  command = plan

  variables {
    folder = "../../../tables"
  }

  assert {
    condition     = length(output.tables) == length(fileset(var.folder, "*.json"))
    error_message = "one table a file"
  }
  assert {
    condition     = output.tables["inventory"].stream_view == "NEW_AND_OLD_IMAGES" && output.tables["orders"].stream_view == null
    error_message = "the stream of inventory, and none of orders"
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

run "a_stream_without_a_view" {
  command = plan
  variables {
    folder = "tests/fixtures/no-view"
  }
  expect_failures = [output.tables]
}

run "a_view_without_a_stream" {
  command = plan
  variables {
    folder = "tests/fixtures/no-stream"
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
