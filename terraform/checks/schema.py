"""Checks every resource and data source below a folder against the schema of the AWS provider, without the provider:
its existence, its arguments and blocks, and the attributes that the files read of it.

The schema is that of npm's @cdktf/provider-aws, whose .jsii names each resource's arguments, the required ones,
and the blocks within them.

    schema.py PATH_OF_JSII FOLDER...

Exit codes: 0 no finding, 1 findings (one a line, with file, address and mistake), 2 usage.
"""

import json
import pathlib
import re
import sys

import hcl2

PACKAGE = "@cdktf/provider-aws"
# An attribute read of a resource: aws_vpc.this.id, data.aws_iam_policy_document.tasks.json, aws_subnet.public[each.key].id.
READ = re.compile(r"(?<![\w.])(data\.)?(aws_\w+)\.(\w+)(?:\[[^\[\]]*\])?\.(\w+)")
# Terraform's own arguments of every resource.
META = {"count", "for_each", "depends_on", "provider", "lifecycle"}


class Schema:
    """Resources of the provider by their names in Terraform, such as aws_dynamodb_table."""

    def __init__(self, jsii):
        self.types = json.loads(pathlib.Path(jsii).read_text())["types"]
        # By the name of its submodule, which is the resource's in one word.
        self.configurations = {}
        for name in self.types:
            match = re.fullmatch(rf"{PACKAGE}\.(\w+)\.(\w+)Config", name)
            # A class with the name of another resource's block has an A at its end.
            if match and match[1].lower() in (match[2].lower(), match[2].removesuffix("A").lower()):
                self.configurations.setdefault(match[1].lower(), name)

    def resource(self, kind, is_data):
        words = kind.removeprefix("aws_").split("_")
        return self.configurations.get(("dataaws" if is_data else "") + "".join(words))

    def attributes(self, kind, is_data):
        """The names of a resource's readable attributes; None if the provider lacks the resource."""
        structure = self.resource(kind, is_data)
        if structure is None:
            return None
        # The class has the name of its configuration.
        return {attribute["name"] for attribute in self.types[structure.removesuffix("Config")].get("properties", [])}

    def arguments(self, structure):
        """Name to (required, structure of the block or None), those of the bases included."""
        described = self.types[structure]
        arguments = {}
        for base in described.get("interfaces", []):
            if base.startswith(PACKAGE):
                arguments.update(self.arguments(base))
        for argument in described.get("properties", []):
            arguments[argument["name"]] = (not argument.get("optional"), structure_of(argument["type"]))
        return arguments


def structure_of(described):
    """The structure of a type: the type itself, the items of a list, or the first of a union; None for a plain value."""
    if "fqn" in described:
        return described["fqn"] if described["fqn"].startswith(PACKAGE) else None
    if "collection" in described:
        return structure_of(described["collection"]["elementtype"])
    if "union" in described:
        return next(filter(None, map(structure_of, described["union"]["types"])), None)
    return None


def camel(name):
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def snake(name):
    return re.sub(r"(?=[A-Z])", "_", name).lower()


def plain(name):
    """A label without quotes: some versions of the parser keep them."""
    return name.strip('"')


def check_body(schema, structure, body, address, findings):
    arguments = schema.arguments(structure)
    given = set()
    for name, value in body.items():
        name = plain(name)
        if name.startswith("__"):
            continue
        if name == "dynamic":
            for block in value:
                for label, inner in block.items():
                    given.add(plain(label))
                    for content in inner["content"]:
                        check_block(schema, arguments, plain(label), content, address, findings)
            continue
        given.add(name)
        blocks = value if isinstance(value, list) and value and all(isinstance(item, dict) for item in value) else []
        known = arguments.get(camel(name))
        if known is None:
            findings.append(f"{address}: there is no argument or block {name}")
        elif known[1] is not None:
            for block in blocks:
                check_body(schema, known[1], block, f"{address}.{name}", findings)
        elif blocks and not isinstance(value, str) and is_block(blocks):
            findings.append(f"{address}: {name} is an argument, not a block")
    missing = [name for name, (required, _) in arguments.items() if required and name not in {camel(name) for name in given}]
    findings.extend(f"{address}: {snake(name)} is required" for name in missing)


def check_block(schema, arguments, name, content, address, findings):
    known = arguments.get(camel(name))
    if known is None or known[1] is None:
        findings.append(f"{address}: there is no block {name}")
    else:
        check_body(schema, known[1], content, f"{address}.{name}", findings)


def is_block(blocks):
    return any("__is_block__" in block for block in blocks)


def check_file(schema, path, findings):
    with open(path) as file:
        content = hcl2.load(file)
    count = 0
    for kind, is_data in (("resource", False), ("data", True)):
        for entry in content.get(kind, []):
            for resource, named in entry.items():
                resource = plain(resource)
                for name, body in named.items():
                    if not resource.startswith("aws_"):
                        continue
                    count += 1
                    address = f"{path}: {'data.' if is_data else ''}{resource}.{plain(name)}"
                    structure = schema.resource(resource, is_data)
                    if structure is None:
                        findings.append(f"{address}: the provider has no such {'data source' if is_data else 'resource'}")
                        continue
                    own = {key: value for key, value in body.items() if plain(key) not in META}
                    check_body(schema, structure, own, address, findings)
    return count


def check_reads(schema, path, findings):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        for data, kind, name, attribute in READ.findall(line.split("#", 1)[0]):
            known = schema.attributes(kind, bool(data))
            if known is not None and camel(attribute) not in known:
                findings.append(f"{path}: line {number}: {data}{kind}.{name} has no attribute {attribute}")


def check(schema, folders):
    findings = []
    count = 0
    for folder in folders:
        for path in sorted(pathlib.Path(folder).rglob("*.tf")):
            if ".terraform" not in path.parts:
                count += check_file(schema, path, findings)
                check_reads(schema, path, findings)
    return count, findings


def main(arguments):
    if len(arguments) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    count, findings = check(Schema(arguments[0]), arguments[1:])
    for finding in findings:
        print(finding)
    print(f"{count} resources and data sources, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
