"""Tests that the check of the schema finds mistakes, and only mistakes. Run with the path of the provider's .jsii in JSII."""

import os
import pathlib
import tempfile
import unittest

import schema

SOUND = """
resource "aws_dynamodb_table" "this" {
  name     = "orders"
  hash_key = "order_id"

  attribute {
    name = "order_id"
    type = "S"
  }

  dynamic "global_secondary_index" {
    for_each = {}
    content {
      name            = "by_customer"
      hash_key        = "customer_id"
      projection_type = "ALL"
    }
  }

  lifecycle {
    prevent_destroy = true
  }
}

data "aws_caller_identity" "this" {}
"""


class SchemaTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.schema = schema.Schema(os.environ["JSII"])

    def findings(self, text):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "main.tf").write_text(text)
            return [finding.split(": ", 1)[1] for finding in schema.check(self.schema, [folder])[1]]

    def changed(self, old, new):
        self.assertIn(old, SOUND)
        return self.findings(SOUND.replace(old, new, 1))

    def test_what_is_sound_has_no_finding(self):
        self.assertEqual(self.findings(SOUND), [])

    def test_an_unknown_resource(self):
        self.assertEqual(
            self.findings('resource "aws_dynamo_table" "this" {}'),
            ["aws_dynamo_table.this: the provider has no such resource"],
        )

    def test_an_unknown_data_source(self):
        self.assertEqual(
            self.changed("aws_caller_identity", "aws_caller_name"),
            ["data.aws_caller_name.this: the provider has no such data source"],
        )

    def test_an_unknown_argument(self):
        self.assertEqual(
            self.changed("hash_key", "hashing_key"),
            ["aws_dynamodb_table.this: there is no argument or block hashing_key"],
        )

    def test_an_unknown_argument_of_a_block(self):
        self.assertEqual(
            self.changed('type = "S"', 'type = "S"\n    kind = "S"'),
            ["aws_dynamodb_table.this.attribute: there is no argument or block kind"],
        )

    def test_a_missing_required_argument(self):
        self.assertEqual(self.changed('name     = "orders"', ""), ["aws_dynamodb_table.this: name is required"])

    def test_a_missing_required_argument_of_a_block(self):
        self.assertEqual(
            self.changed('type = "S"', ""), ["aws_dynamodb_table.this.attribute: type is required"]
        )

    def test_an_unknown_block(self):
        self.assertEqual(
            self.changed("attribute {", "attributes {"),
            ["aws_dynamodb_table.this: there is no argument or block attributes"],
        )

    def test_an_unknown_dynamic_block(self):
        self.assertEqual(
            self.changed('"global_secondary_index"', '"global_index"'),
            ["aws_dynamodb_table.this: there is no block global_index"],
        )

    def test_an_argument_written_as_a_block(self):
        self.assertEqual(
            self.changed('hash_key = "order_id"', "hash_key {\n  }"),
            ["aws_dynamodb_table.this: hash_key is an argument, not a block"],
        )

    def test_an_attribute_that_is_read(self):
        read = 'output "o" {\n  value = [aws_dynamodb_table.this.arn, data.aws_caller_identity.this.account_id]\n}\n'
        self.assertEqual(self.findings(SOUND + read), [])
        self.assertEqual(
            [finding.split(": ")[-1] for finding in self.findings(SOUND + read.replace(".arn", ".arns"))],
            ["aws_dynamodb_table.this has no attribute arns"],
        )


if __name__ == "__main__":
    unittest.main()
