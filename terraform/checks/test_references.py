"""Tests that the check of references finds missing and unused declarations."""

import pathlib
import tempfile
import unittest

import references

CALLER = """
module "child" {
  source = "./child"

  name = local.name
}

locals {
  name = "n-${aws_vpc.this.id}"
}

resource "aws_vpc" "this" {
  cidr_block = module.child.cidr
}
"""
CHILD = """
variable "name" {
  type = string

  validation {
    condition     = length(var.name) > 1
    error_message = "no"
  }
}

output "cidr" {
  value = "10.0.0.0/16 ${var.name}"
}
"""


class ReferencesTest(unittest.TestCase):
    def findings(self, caller=CALLER, child=CHILD):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "child").mkdir()
            pathlib.Path(folder, "main.tf").write_text(caller)
            pathlib.Path(folder, "child/variables.tf").write_text(child)
            return [finding.replace(folder, ".").split(": ", 1)[1] for finding in references.check([folder])[1]]

    def test_what_is_whole_has_no_finding(self):
        self.assertEqual(self.findings(), [])

    def test_names_that_are_not_there(self):
        for old, new, finding in (
            ("local.name", "local.title", "there is no local title"),
            ("aws_vpc.this.id", "aws_vpc.that.id", "there is no resource aws_vpc.that"),
            ("module.child.cidr", "module.child.block", "module child has no output block"),
            ("module.child.cidr", "module.other.cidr", "there is no module other"),
            ("local.name", "var.name", "there is no variable name"),
            ("local.name", "data.aws_region.this.name", "there is no data source aws_region.this"),
        ):
            with self.subTest(finding):
                self.assertIn(finding, self.findings(CALLER.replace(old, new)))

    def test_arguments_of_a_module(self):
        self.assertIn("module child has no variable size", self.findings(CALLER.replace("name =", "size = 1\n  name =", 1)))
        self.assertIn("module child is not given name", self.findings(CALLER.replace("name = local.name", "")))

    def test_what_nobody_uses(self):
        self.assertEqual(self.findings(CALLER + 'locals {\n  more = 1\n}\n'), ["local more is used by nothing"])
        # Its own validation does not count.
        self.assertIn("variable name is used by nothing", self.findings(child=CHILD.replace(" ${var.name}", "")))
        self.assertEqual(self.findings(child=CHILD + 'output "more" {\n  value = 1\n}\n'), ["output more is read by nobody"])


if __name__ == "__main__":
    unittest.main()
