"""Checks that AWS and the local environment are one system.

    drift.py compose SYSTEM COMPOSE    task definitions against the Compose file
    drift.py tables SYSTEM FOLDER URL  tables that an empty emulator makes of the files, against the mapping's
    drift.py calls SYSTEM CALLS        IAM actions of the task roles against the calls of the tests

SYSTEM is the output of `terraform output -json` in checks/system. CALLS has lines such as `order-api GetItem` (a call of DynamoDB) and
`order-api sns:PublishBatch`, as the embedded emulator writes them.

Exit codes: 0 no finding, 1 findings (one a line), 2 usage.
"""

import json
import pathlib
import re
import sys
import urllib.request

import yaml

# Variables that only one side has, with the reason.
LOCAL_ONLY = {"ORDER_PROCESSOR_URL": "a container's neighbours have names; in AWS they are found by SRV records"}
AWS_ONLY = {
    "ORDER_PROCESSOR_SRV": "see ORDER_PROCESSOR_URL",
    "IMAGE": "the release that answers; locally devenv sets it, and not the Compose file",
    "DATABASE_IAM": "a local database knows no roles",
}
# The actions that IAM checks for a call of another name: one for each kind of item in it, or one for a batch as for its entries.
ACTIONS = {
    "dynamodb:TransactWriteItems": {"dynamodb:PutItem", "dynamodb:UpdateItem"},
    "sns:PublishBatch": {"sns:Publish"},
    "sqs:ChangeMessageVisibilityBatch": {"sqs:ChangeMessageVisibility"},
    "sqs:DeleteMessageBatch": {"sqs:DeleteMessage"},
    "sqs:SendMessageBatch": {"sqs:SendMessage"},
}
# What a variable of the Compose file has in place of a value that devenv fills in, by kind.
REFERENCES = {"queues": "$${{queue:{}}}", "topics": "$${{topic:{}}}", "databases": "$${{database:{}}}"}
# `${NAME:-default}` in a Compose file.
DEFAULT = re.compile(r"^\$\{\w+:-(.*)\}$")


def outputs(path):
    return {name: output["value"] for name, output in json.loads(pathlib.Path(path).read_text()).items()}


def seconds(text):
    match = re.fullmatch(r"(\d+)s", text)
    return int(match[1]) if match else text


def told(value):
    """The value of a Compose variable that the caller does not set."""
    match = DEFAULT.match(str(value))
    return match[1] if match else str(value)


def compare(name, local, aws, findings):
    if local != aws:
        findings.append(f"{name}: {local!r} in the Compose file, {aws!r} in AWS")


def compare_service(name, service, definition, described, findings):
    ports = sorted(int(str(port).rsplit(":", 1)[-1]) for port in service.get("ports", []))
    compare(f"{name}: ports", ports, sorted(port["containerPort"] for port in definition["portMappings"]), findings)
    compare(f"{name}: user", service.get("user"), definition["user"], findings)
    compare(f"{name}: read-only", service.get("read_only"), definition["readonlyRootFilesystem"], findings)
    compare(f"{name}: dropped capabilities", service.get("cap_drop"), definition["linuxParameters"]["capabilities"]["drop"], findings)
    compare(f"{name}: time to stop", seconds(service.get("stop_grace_period")), definition["stopTimeout"], findings)

    check, health = service.get("healthcheck", {}), definition["healthCheck"]
    compare(f"{name}: health check", check.get("test"), health["command"], findings)
    for key, other in (("interval", "interval"), ("timeout", "timeout"), ("start_period", "startPeriod")):
        compare(f"{name}: {key} of the health check", seconds(check.get(key)), health[other], findings)
    compare(f"{name}: retries of the health check", check.get("retries"), health["retries"], findings)

    compare(f"{name}: command", service.get("command", []), definition.get("command") or [], findings)
    compare_variables(name, service, {variable["name"] for variable in definition["environment"]}, described, findings)


def compare_variables(name, service, aws, described, findings):
    """The variables of a service or function, and the names in AWS of its own."""
    local = {variable: told(value) for variable, value in service["environment"].items()}
    both = (set(local) - set(LOCAL_ONLY)) | (set(aws) - set(AWS_ONLY))
    for variable in sorted(both - set(local)):
        findings.append(f"{name}: {variable} is set in AWS only")
    for variable in sorted(both - set(aws)):
        findings.append(f"{name}: {variable} is set locally only")
    for variable, value in described["environment"].items():
        compare(f"{name}: {variable}", local.get(variable), value, findings)
    for variable, table in described["tables"].items():
        compare(f"{name}: {variable}", local.get(variable), table, findings)
    for kind, form in REFERENCES.items():
        for variable, resource in described.get(kind, {}).items():
            compare(f"{name}: {variable}", local.get(variable), form.format(resource), findings)


def compare_function(name, service, described, findings):
    # Lambda sets the region itself.
    aws = {"AWS_REGION", *described["environment"]}.union(*(described.get(kind, {}) for kind in ("tables", *REFERENCES)))
    compare_variables(name, service, aws, described, findings)


def check_compose(system, compose):
    system, findings = outputs(system), []
    services = yaml.safe_load(pathlib.Path(compose).read_text())["services"]
    programs = {**system["services"], **system.get("functions", {})}
    # An optional part that is not in the Compose file at all runs in AWS alone.
    parts = {program.get("part") for name, program in programs.items() if name in services}
    for part in sorted({program.get("part") for program in programs.values()} - parts - {None}):
        print(f"{part}: NOT COMPARED: the Compose file has none of its programs")
    present = lambda all: {name: one for name, one in all.items() if not one.get("part") or one["part"] in parts}
    described, functions = present(system["services"]), present(system.get("functions", {}))
    # What runs once before a service is a container of its tasks, and a database is RDS's.
    prepared = {one["prepared_by"]["service"]: one["prepared_by"] for one in described.values() if one.get("prepared_by")}
    databases = {database for one in [*described.values(), *functions.values()] for database in one.get("databases", {}).values()}
    compare("services", sorted(services), sorted({*described, *functions, *prepared, *databases}), findings)
    for name in sorted(set(services) & set(described)):
        compare_service(name, services[name], system["definitions"][name], described[name], findings)
    for name in sorted(set(services) & set(functions)):
        compare_function(name, services[name], functions[name], findings)
    for name in sorted(set(services) & set(prepared)):
        compare(f"{name}: command", services[name].get("command"), prepared[name]["command"], findings)
    return findings


def call(url, operation, body):
    headers = {
        "content-type": "application/x-amz-json-1.0",
        "x-amz-target": f"DynamoDB_20120810.{operation}",
        "x-amz-date": "20200101T000000Z",
        "authorization": "AWS4-HMAC-SHA256 Credential=check/20200101/eu-west-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
    }
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def key(schema, kind):
    return next((part["AttributeName"] for part in schema if part["KeyType"] == kind), None)


def as_mapped(described):
    """A described table in the form of the mapping."""
    index = lambda entry: {
        "range_key": key(entry["KeySchema"], "RANGE"),
        "projection_type": entry["Projection"]["ProjectionType"],
        "non_key_attributes": entry["Projection"].get("NonKeyAttributes"),
    }
    return {
        "billing_mode": described.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
        "stream_view": (described.get("StreamSpecification") or {}).get("StreamViewType"),
        "hash_key": key(described["KeySchema"], "HASH"),
        "range_key": key(described["KeySchema"], "RANGE"),
        "attributes": {entry["AttributeName"]: entry["AttributeType"] for entry in described["AttributeDefinitions"]},
        "global_indexes": {
            entry["IndexName"]: index(entry) | {"hash_key": key(entry["KeySchema"], "HASH")}
            for entry in described.get("GlobalSecondaryIndexes") or []
        },
        "local_indexes": {entry["IndexName"]: index(entry) for entry in described.get("LocalSecondaryIndexes") or []},
    }


def only(wanted, keys):
    return {name: wanted.get(name) for name in keys}


def check_tables(system, folder, url):
    mapped, findings = outputs(system)["tables"], []
    for path in sorted(pathlib.Path(folder).glob("*.json")):
        definition = json.loads(path.read_text())
        name = definition["TableName"]
        call(url, "CreateTable", definition)
        made = as_mapped(call(url, "DescribeTable", {"TableName": name})["Table"])
        wanted = only(mapped.get(name, {}), made)
        for kind in ("global_indexes", "local_indexes"):
            # Only Terraform sets a capacity: an emulator refuses nothing for the lack of it.
            strip = lambda indexes: {index: only(value, next(iter(made[kind].values()), {})) for index, value in (indexes or {}).items()}
            wanted[kind] = strip(wanted[kind])
        for part in made:
            if made[part] != wanted[part]:
                findings.append(f"{name}: {part}: the emulator has {made[part]!r}, the mapping {wanted[part]!r}")
    return findings


def rights(program):
    """The actions that a program's role allows."""
    allowed = set()
    for permission in program["permissions"].values():
        allowed.update(permission["actions"], *permission["indexes"].values())
    for kind in ("queue_actions", "topic_actions"):
        allowed.update(*program.get(kind, {}).values())
    return allowed


def check_calls(system, calls):
    system, findings = outputs(system), []
    made = {}
    for line in pathlib.Path(calls).read_text().split("\n"):
        if line:
            caller, operation = line.split(" ", 1)
            call = operation if ":" in operation else f"dynamodb:{operation}"
            made.setdefault(caller, set()).update(ACTIONS.get(call, {call}))
    programs = {**system["services"], **system.get("functions", {})}
    parts = {program.get("part") for name, program in programs.items() if name in made}
    for name, program in programs.items():
        # A program of a part may call nothing.
        if program.get("part") not in {None, *parts}:
            print(f"{name}: NOT COMPARED: the tests ran without this optional part")
            continue
        allowed = rights(program)
        for action in sorted(made.get(name, set()) - allowed):
            findings.append(f"{name}: calls {action}, which its role does not allow")
        for action in sorted(allowed - made.get(name, set())):
            findings.append(f"{name}: its role allows {action}, which no test made it call")
    return findings


CHECKS = {"compose": (check_compose, 2), "tables": (check_tables, 3), "calls": (check_calls, 2)}


def main(arguments):
    check, count = CHECKS.get(arguments[0] if arguments else "", (None, 0))
    if check is None or len(arguments) != count + 1:
        print(__doc__, file=sys.stderr)
        return 2
    findings = check(*arguments[1:])
    for finding in findings:
        print(finding)
    print(f"{len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
