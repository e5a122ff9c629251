"""Writes a copy of Terraform files in which a resource without a provider stands for each resource of AWS, so that Terraform evaluates,
plans and applies the whole of them without the provider and without an account.

    standins.py SCHEMA SOURCE TARGET IMAGES

SCHEMA is the .jsii that schema.py reads, IMAGES the file to write for the variable `images` of a release: an image of every program. A stand-in has the arguments of its resource as its input; the attributes that AWS would choose are unknown
until it is applied, as they are in AWS. A data source is computed from its arguments. State is in files below TARGET/state.

Exit codes: 0 written, 2 usage.
"""

import json
import pathlib
import re
import shutil
import sys

import hcl2

from schema import META, Schema, plain, snake

BLOCK = re.compile(r'^(resource|data) "(aws_\w+)" "(\w+)" \{\n(?:.*\n)*?\}\n', re.MULTILINE)
REFERENCE = re.compile(r"(?<![\w.\"/-])(data\.)?(aws_\w+)\.([A-Za-z_]\w*)")
# Parts of the files that belong to the provider or to the account.
PROVIDER = re.compile(r'^provider "aws" \{\n(?:.*\n)*?\}\n', re.MULTILINE)
REQUIRED = re.compile(r"^  required_providers \{\n(?:.*\n)*?  \}\n", re.MULTILINE)
BACKEND = re.compile(r'^  backend "s3" \{\n(?:.*\n)*?    key +=( "[^"]*")\n(?:.*\n)*?  \}\n', re.MULTILINE)
REMOTE = re.compile(r'^  backend = "s3"\n\n  config = \{\n(?:.*\n)*?    key +=( "[^"]*")\n(?:.*\n)*?  \}\n', re.MULTILINE)
# A text of several lines, which the parser does not give back as it was.
HEREDOC = re.compile(r"<<-?(\w+)\n(?:.*\n)*?\s*\1$", re.MULTILINE)
# The attributes that AWS chooses, and whose form the files rely on. MADE is the id of the stand-in.
FORMS = {
    "arn": '"arn:aws:SERVICE:eu-west-1:123456789012:NAME/${MADE}"',
    "stream_arn": '"arn:aws:dynamodb:eu-west-1:123456789012:table/${MADE}/stream/2026-11-30T00:00:00.000"',
    "resource_id": '"db-${upper(replace(MADE, "-", ""))}"',
    "domain_validation_options": '[{ domain_name = "example.com", resource_record_name = MADE, resource_record_type = "CNAME", resource_record_value = MADE }]',
}


def name_of(is_data, kind, name):
    return f"{'data_' if is_data else ''}{kind}__{name}"


def referred(text):
    """An expression that reads stand-ins in place of resources."""
    return REFERENCE.sub(lambda found: f"local.{name_of(found[1], found[2], found[3])}", text)


def expression(value):
    """A parsed value as an expression again."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "null"
    if isinstance(value, list):
        return f"[{', '.join(map(expression, value))}]"
    if isinstance(value, dict):
        entries = (f"{key} = {expression(item)}" for key, item in value.items() if not key.startswith("__"))
        return f"{{ {', '.join(entries)} }}"
    text = str(value)
    # An interpolation alone is an expression; a text has its quotes.
    return text[2:-1] if text.startswith("${") and text.endswith("}") else text


def arguments(body):
    """Arguments and blocks of a resource as one object."""
    entries = []
    for name, value in body.items():
        name = plain(name)
        if name.startswith("__") or name in META:
            continue
        if name == "dynamic":
            for index, block in enumerate(value):
                for label, inner in block.items():
                    if not label.startswith("__"):
                        entries.append(f"dynamic_{plain(label)}_{index} = {dynamic(plain(label), inner)}")
        elif isinstance(value, list) and value and all(isinstance(item, dict) and "__is_block__" in item for item in value):
            entries.append(f"{name} = [{', '.join(map(arguments, value))}]")
        else:
            entries.append(f"{name} = {expression(value)}")
    return f"{{ {', '.join(entries)} }}"


def dynamic(label, block):
    key, value = f"{label}_key", f"{label}_value"
    content = ", ".join(map(arguments, block["content"]))
    content = re.sub(rf"(?<![\w.]){label}\.key\b", key, content)
    content = re.sub(rf"(?<![\w.]){label}\.value\b", value, content)
    return f"[for {key}, {value} in {expression(block['for_each'])} : {content}]"


def computed(schema, kind, made):
    service = kind.removeprefix("aws_").split("_")[0]
    forms = []
    for attribute in sorted(schema.attributes(kind, False)):
        name = snake(attribute)
        form = FORMS.get(name, "MADE").replace("SERVICE", service).replace("NAME", kind)
        # The object of a name such as aws_x.this is no reference.
        forms.append(f"{name} = {form.replace('MADE', made)}")
    return f"{{ {', '.join(forms)} }}"


def stand_in(schema, is_data, kind, name, body):
    own, given = name_of(is_data, kind, name), arguments(body)
    each = expression(body["for_each"]) if "for_each" in body else None
    if is_data:
        value = f"merge({{ json = jsonencode({given}) }}, {given})"
        if each:
            value = re.sub(r"(?<![\w.])each\.(key|value)\b", r"each_\1", value)
            value = f"{{ for each_key, each_value in {each} : each_key => {value} }}"
        elif "count" in body:
            value = f"[for number in range({expression(body['count'])}) : {value}]"
        return f"locals {{\n  {own} = {referred(value)}\n}}\n"
    lines = [f"  input = {given}"]
    one = lambda made: f"merge({computed(schema, kind, f'{made}.id')}, {made}.input)"
    if each:
        lines.append(f"  for_each = {each}")
        value = f"{{ for key, made in terraform_data.{own} : key => {one('made')} }}"
    elif "count" in body:
        lines.append(f"  count = {expression(body['count'])}")
        value = f"[for made in terraform_data.{own} : {one('made')}]"
    else:
        value = one(f"terraform_data.{own}")
    body = referred("\n".join(lines))
    return f'resource "terraform_data" "{own}" {{\n{body}\n}}\n\nlocals {{\n  {own} = {value}\n}}\n'


def rewritten(schema, text, state):
    text = HEREDOC.sub('"several lines"', text)
    parsed = hcl2.loads(text)
    made = []
    for section in ("resource", "data"):
        for entry in parsed.get(section, []):
            for kind, named in entry.items():
                for name, body in named.items():
                    if plain(kind).startswith("aws_"):
                        made.append(stand_in(schema, section == "data", plain(kind), plain(name), body))
    text = BLOCK.sub("", text)
    for pattern in (PROVIDER, REQUIRED):
        text = pattern.sub("", text)
    place = lambda found: f'{state}/{found[1].strip(chr(34) + " ")}'
    text = BACKEND.sub(lambda found: f'  backend "local" {{\n    path = "{place(found)}"\n  }}\n', text)
    text = REMOTE.sub(lambda found: f'  backend = "local"\n  config = {{ path = "{place(found)}" }}\n', text)
    # An order between resources that no value shows is the provider's.
    text = re.sub(r"^ *depends_on = \[[^\]]*\]\n", "", text, flags=re.MULTILINE)
    return referred(text) + "\n" + "\n".join(made)


def write(schema, source, target):
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(".terraform*", "tests"))
    for path in sorted(pathlib.Path(target).rglob("*.tf")):
        path.write_text(rewritten(schema, path.read_text(), pathlib.Path(target).resolve() / "state"))


def images(source):
    """An image of each program that the system module names, and of what prepares it."""
    text = pathlib.Path(source, "modules/system/main.tf").read_text()
    names = re.findall(r"^    ([a-z-]+) = merge\(local\.common", text, re.MULTILINE) + re.findall(r'prepared_by +=.*service = "([a-z-]+)"', text)
    image = lambda name: {"reference": f"registry.example/{name}@sha256:{'0' * 64}", "platform": "linux/amd64"}
    return {"images": {name: image(name) for name in sorted(set(names))}}


def main(given):
    if len(given) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    write(Schema(given[0]), given[1], given[2])
    pathlib.Path(given[3]).write_text(json.dumps(images(given[1])))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
