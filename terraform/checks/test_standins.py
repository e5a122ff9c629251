"""Tests that stand-ins evaluate what resources would."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import standins
from schema import Schema

SCHEMA = Schema(os.environ["JSII"])
SOUND = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

data "aws_iam_policy_document" "readers" {
  for_each = toset(["a"])

  dynamic "statement" {
    for_each = { get = "s3:GetObject" }
    content {
      sid     = statement.key
      actions = [statement.value, each.key]
    }
  }
}

resource "aws_dynamodb_table" "this" {
  for_each = { orders = "order_id" }

  name     = each.key
  hash_key = each.value

  attribute {
    name = each.value
    type = "S"
  }
}

resource "aws_sqs_queue" "dead" {
  count = 1
  name  = "dead-${aws_dynamodb_table.this["orders"].name}"
}

output "found" {
  value = {
    arn    = split(":", aws_dynamodb_table.this["orders"].arn)[2]
    queue  = one(aws_sqs_queue.dead[*].name)
    policy = jsondecode(data.aws_iam_policy_document.readers["a"].json).dynamic_statement_0
  }
}
"""


class StandInsTest(unittest.TestCase):
    def applied(self, text):
        """The output `found`, or the error."""
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "main.tf").write_text(standins.rewritten(SCHEMA, text, folder))
            for command in (["init"], ["apply", "-auto-approve"]):
                done = subprocess.run(["terraform", *command, "-no-color", "-input=false"], cwd=folder, capture_output=True, text=True)
                if done.returncode:
                    return done.stderr
            shown = subprocess.run(["terraform", "output", "-json", "found"], cwd=folder, capture_output=True, text=True, check=True)
            return json.loads(shown.stdout)

    def test_arguments_and_what_aws_would_choose_are_read(self):
        self.assertEqual(
            self.applied(SOUND),
            {"arn": "dynamodb", "queue": "dead-orders", "policy": [{"sid": "get", "actions": ["s3:GetObject", "a"]}]},
        )

    def test_an_attribute_that_is_not_there(self):
        self.assertIn("Unsupported attribute", self.applied(SOUND.replace('["orders"].arn', '["orders"].arns')))

    def test_what_only_aws_knows_decides_no_number_of_resources(self):
        text = SOUND.replace("count = 1", 'count = aws_dynamodb_table.this["orders"].id == "" ? 0 : 1')
        self.assertIn("Invalid count argument", self.applied(text))

    def test_a_key_that_occurs_twice(self):
        text = SOUND.replace('for_each = { orders = "order_id" }', 'for_each = { for name in ["a", "a"] : name => name }')
        self.assertIn("Duplicate object key", self.applied(text))


if __name__ == "__main__":
    unittest.main()
