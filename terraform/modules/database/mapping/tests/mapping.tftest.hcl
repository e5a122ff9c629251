variables {
  names = ["facts"]
}

run "the_one_that_is_needed" {
  command = plan

  variables {
    folder = "tests/fixtures/whole"
  }

  assert {
    condition     = keys(output.databases) == ["facts"] && keys(output.files) == ["facts"]
    error_message = "a database that no program of the environment needs is not made"
  }
  assert {
    condition     = output.databases["facts"].family == "postgres15" && output.databases["facts"].port == 5432 && output.databases["facts"].storage_as == "gp3"
    error_message = "its arguments"
  }
}

run "none_is_needed" {
  command = plan

  variables {
    folder = "nowhere"
    names  = []
  }

  assert {
    condition     = length(output.databases) == 0
    error_message = "no folder, no database"
  }
}

run "the_projects_own_files" {
  command = plan

  variables {
    folder = "../../../databases"
    names  = [for file in fileset("../../../databases", "*.json") : trimsuffix(file, ".json")]
  }

  assert {
    condition     = length(output.databases) == length(fileset(var.folder, "*.json"))
    error_message = "one database a file, named like it"
  }
}

run "one_without_a_file" {
  command = plan

  variables {
    folder = "tests/fixtures/whole"
    names  = ["nothing"]
  }

  expect_failures = [output.databases]
}

run "not_json" {
  command = plan

  variables {
    folder = "tests/fixtures/not-json"
  }

  expect_failures = [output.databases]
}

run "missing" {
  command = plan

  variables {
    folder = "tests/fixtures/missing"
  }

  expect_failures = [output.databases]
}

run "owned" {
  command = plan

  variables {
    folder = "tests/fixtures/owned"
  }

  expect_failures = [output.databases]
}

run "unknown" {
  command = plan

  variables {
    folder = "tests/fixtures/unknown"
  }

  expect_failures = [output.databases]
}

run "engine" {
  command = plan

  variables {
    folder = "tests/fixtures/engine"
  }

  expect_failures = [output.databases]
}

run "twice" {
  command = plan

  variables {
    folder = "tests/fixtures/twice"
  }

  expect_failures = [output.databases]
}
