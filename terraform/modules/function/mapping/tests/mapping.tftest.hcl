variables {
  functions = { worker = { FunctionName = "worker", PackageType = "Image", Timeout = 30, ImageConfig = { Command = ["consume"] } } }
  source_arns = {
    "arn:aws:sqs:::work"                    = "arn:aws:sqs:eu-west-1:123456789012:orders-dev-work"
    "arn:aws:dynamodb:::table/stock/stream" = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders-dev-stock/stream/2026-11-30T00:00:00.000"
  }
}

run "a_function_with_a_queue_and_a_stream" {
  command = plan

  variables {
    folder = "tests/fixtures/whole"
  }

  assert {
    condition     = output.functions["worker"].timeout == 30 && output.functions["worker"].memory == 128 && output.functions["worker"].command == ["consume"]
    error_message = "its arguments, with Lambda's defaults"
  }
  assert {
    condition     = keys(output.mappings) == ["changes", "work"]
    error_message = "the mapping of another environment's function stays out"
  }
  assert {
    condition     = output.mappings["work"].batch_size == 10 && output.mappings["work"].concurrency == 5 && output.mappings["work"].patterns == ["{}"] && !output.mappings["work"].of_stream
    error_message = "a queue"
  }
  assert {
    condition     = endswith(output.mappings["changes"].source, "/stream/2026-11-30T00:00:00.000") && output.mappings["changes"].of_stream && output.mappings["changes"].retries == 3
    error_message = "a stream, whose label AWS chooses"
  }
}

run "an_archive" {
  command = plan

  variables {
    folder    = "tests/fixtures/whole"
    functions = { worker = { FunctionName = "worker" } }
  }

  expect_failures = [output.functions]
}

run "not_json" {
  command = plan

  variables {
    folder = "tests/fixtures/not-json"
  }

  expect_failures = [output.mappings]
}

run "missing" {
  command = plan

  variables {
    folder = "tests/fixtures/missing"
  }

  expect_failures = [output.mappings]
}

run "unknown" {
  command = plan

  variables {
    folder = "tests/fixtures/unknown"
  }

  expect_failures = [output.mappings]
}

run "source" {
  command = plan

  variables {
    folder = "tests/fixtures/source"
  }

  expect_failures = [output.mappings]
}
