"""Tests that the comparison of AWS with the local environment finds each difference."""

import contextlib
import copy
import io
import json
import pathlib
import tempfile
import unittest

import yaml

import drift

SERVICE = """
  {name}:
    user: "65532:65532"
    read_only: true
    cap_drop: [ALL]
    stop_grace_period: 15s
    environment:
      ORDERS_TABLE: orders
      RUST_LOG: ${{RUST_LOG:-info}}
      {more}
    ports: ["127.0.0.1:8001:8000"]
    healthcheck:
      test: ["CMD", "/{name}", "healthcheck"]
      interval: 5s
      timeout: 2s
      retries: 3
      start_period: 10s
"""
COMPOSE = yaml.safe_load(
    "services:"
    + SERVICE.format(name="order-api", more="ORDER_PROCESSOR_URL: http://order-processor:8000")
    + SERVICE.format(name="order-processor", more="LOG_FORMAT: json")
)
DEFINITION = {
    "user": "65532:65532",
    "readonlyRootFilesystem": True,
    "linuxParameters": {"capabilities": {"drop": ["ALL"]}},
    "stopTimeout": 15,
    "portMappings": [{"containerPort": 8000}],
}
PERMISSIONS = {
    "order-api": {"orders": {"actions": ["dynamodb:GetItem"], "indexes": {"pending": ["dynamodb:Query"]}}},
    "order-processor": {"reservations": {"actions": ["dynamodb:PutItem", "dynamodb:UpdateItem"], "indexes": {}}},
}
CALLS = "order-api GetItem\norder-api Query\norder-api sns:PublishBatch\norder-processor TransactWriteItems\ndevenv CreateTable\n"
CONSUMER = {
    "part": "reporting",
    "permissions": {},
    "queue_actions": {"reporting": ["sqs:DeleteMessage", "sqs:ReceiveMessage"]},
    "environment": {},
    "tables": {},
    "queues": {"REPORTING_QUEUE_URL": "reporting"},
    "databases": {"DATABASE_URL": "facts"},
    "prepared_by": {"service": "migrate", "command": ["migrate"]},
}


def definition(name, service):
    check = service["healthcheck"]
    names = (set(service["environment"]) - set(drift.LOCAL_ONLY)) | {"IMAGE"}
    return DEFINITION | {
        "healthCheck": {"command": check["test"], "interval": 5, "timeout": 2, "retries": 3, "startPeriod": 10},
        "environment": [{"name": variable, "value": "x"} for variable in sorted(names)],
    }


class DriftTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.definitions = {name: copy.deepcopy(definition(name, service)) for name, service in COMPOSE["services"].items()}
        self.compose = copy.deepcopy(COMPOSE)
        self.parts = {}

    def write(self, name, value):
        path = pathlib.Path(self.folder.name, name)
        path.write_text(value if isinstance(value, str) else json.dumps(value))
        return path

    def compared(self):
        described = {name: {"environment": {"RUST_LOG": "info"}, "tables": {"ORDERS_TABLE": "orders"}} for name in self.definitions}
        outputs = {"definitions": {"value": self.definitions}, "services": {"value": described | self.parts}}
        with contextlib.redirect_stdout(io.StringIO()) as self.printed:
            return drift.check_compose(self.write("system.json", outputs), self.write("compose.json", self.compose))

    def called(self, calls):
        services = {name: {"permissions": permissions} for name, permissions in PERMISSIONS.items()}
        services["order-api"]["topic_actions"] = {"order-events": ["sns:Publish"]}
        services["consumer"] = CONSUMER
        services["reports"] = {"part": "reporting", "permissions": {}}
        with contextlib.redirect_stdout(io.StringIO()) as self.printed:
            return drift.check_calls(self.write("system.json", {"services": {"value": services}}), self.write("calls", calls))

    def consumed(self, environment, migrate=("migrate",)):
        """A consumer with its queue and database, beside a migration that runs once."""
        service = copy.deepcopy(COMPOSE["services"]["order-api"]) | {"environment": environment}
        self.compose["services"] = {"consumer": service, "migrate": service | {"command": list(migrate)}, "facts": {"image": "postgres"}}
        names = {"REPORTING_QUEUE_URL": "x", "DATABASE_URL": "x", "DATABASE_IAM": "true"}
        described = DEFINITION | {
            "healthCheck": definition("order-api", service)["healthCheck"],
            "environment": [{"name": name, "value": value} for name, value in names.items()],
        }
        outputs = {
            "definitions": {"value": {"consumer": described}},
            "services": {"value": {"consumer": CONSUMER}},
        }
        return drift.check_compose(self.write("system.json", outputs), self.write("compose.json", self.compose))

    def test_what_agrees_has_no_finding(self):
        self.assertEqual(self.compared(), [])

    def test_a_port_changed_in_the_compose_file(self):
        self.compose["services"]["order-api"]["ports"] = ["127.0.0.1:8001:8080"]
        self.assertEqual(self.compared(), ["order-api: ports: [8080] in the Compose file, [8000] in AWS"])

    def test_a_variable_told_on_one_side(self):
        self.compose["services"]["order-api"]["environment"]["LIMIT"] = "1"
        self.definitions["order-processor"]["environment"].append({"name": "REGION", "value": "x"})
        self.assertEqual(
            self.compared(), ["order-api: LIMIT is set locally only", "order-processor: REGION is set in AWS only"]
        )

    def test_a_variable_told_differently(self):
        self.compose["services"]["order-api"]["environment"]["RUST_LOG"] = "${RUST_LOG:-debug}"
        self.assertEqual(self.compared(), ["order-api: RUST_LOG: 'debug' in the Compose file, 'info' in AWS"])

    def test_another_health_check_and_user(self):
        self.compose["services"]["order-api"]["healthcheck"]["test"] = ["CMD", "/other"]
        self.compose["services"]["order-api"]["user"] = "1:1"
        self.assertEqual(len(self.compared()), 2)

    def test_another_command(self):
        self.compose["services"]["order-api"]["command"] = ["serve"]
        self.assertEqual(self.compared(), ["order-api: command: ['serve'] in the Compose file, [] in AWS"])

    def test_a_consumer_of_a_queue_with_a_database(self):
        good = {"REPORTING_QUEUE_URL": "$${queue:reporting}", "DATABASE_URL": "$${database:facts}"}
        self.assertEqual(self.consumed(good), [])
        self.assertEqual(
            self.consumed(good | {"REPORTING_QUEUE_URL": "$${queue:other}"}),
            ["consumer: REPORTING_QUEUE_URL: '$${queue:other}' in the Compose file, '$${queue:reporting}' in AWS"],
        )
        self.assertEqual(
            self.consumed({"DATABASE_URL": "$${database:facts}"})[0], "consumer: REPORTING_QUEUE_URL is set in AWS only"
        )
        self.assertEqual(
            self.consumed(good, migrate=["other"]), ["migrate: command: ['other'] in the Compose file, ['migrate'] in AWS"]
        )

    def test_a_function_has_its_variables_and_no_port(self):
        good = {"STOCK_TOPIC": "$${topic:stock}", "AWS_REGION": "eu-west-1"}
        function = {"environment": {}, "tables": {}, "topics": {"STOCK_TOPIC": "stock"}}
        self.compose["services"] = {"low": {"environment": good}}
        outputs = {"definitions": {"value": {}}, "services": {"value": {}}, "functions": {"value": {"low": function}}}
        compared = lambda: drift.check_compose(self.write("system.json", outputs), self.write("compose.json", self.compose))
        self.assertEqual(compared(), [])
        good["LIMIT"] = "1"
        self.assertEqual(compared(), ["low: LIMIT is set locally only"])

    def test_an_optional_part_is_in_the_compose_file_whole_or_not_at_all(self):
        self.parts = {name: {"part": "reporting", "environment": {}, "tables": {}} for name in ("reports", "consumer")}
        self.assertEqual(self.compared(), [])
        self.assertIn("reporting: NOT COMPARED", self.printed.getvalue())
        self.definitions["consumer"] = self.definitions["order-api"]
        self.compose["services"]["consumer"] = self.compose["services"]["order-api"] | {"profiles": ["reporting"]}
        self.assertIn("services: ", self.compared()[0])

    def test_a_service_on_one_side(self):
        del self.definitions["order-processor"]
        self.assertEqual(len(self.compared()), 1)

    def test_calls_that_are_allowed(self):
        self.assertEqual(self.called(CALLS), [])

    def test_a_call_that_is_not_allowed(self):
        self.assertEqual(
            self.called(CALLS + "order-api Scan\n"), ["order-api: calls dynamodb:Scan, which its role does not allow"]
        )

    def test_a_call_of_a_topic_or_queue_that_is_not_allowed(self):
        self.assertEqual(
            self.called(CALLS + "order-api sqs:SendMessageBatch\nconsumer sqs:PurgeQueue\n"),
            [
                "order-api: calls sqs:SendMessage, which its role does not allow",
                "consumer: calls sqs:PurgeQueue, which its role does not allow",
                "consumer: its role allows sqs:DeleteMessage, which no test made it call",
                "consumer: its role allows sqs:ReceiveMessage, which no test made it call",
            ],
        )

    def test_an_optional_part_without_calls_is_named(self):
        self.called(CALLS)
        self.assertIn("consumer: NOT COMPARED", self.printed.getvalue())

    def test_an_optional_part_is_compared_as_a_whole(self):
        self.assertEqual(self.called(CALLS + "consumer sqs:ReceiveMessage\nconsumer sqs:DeleteMessageBatch\n"), [])
        self.assertEqual(self.printed.getvalue(), "")

    def test_a_right_to_publish_that_nothing_uses(self):
        self.assertEqual(
            self.called(CALLS.replace("order-api sns:PublishBatch\n", "")),
            ["order-api: its role allows sns:Publish, which no test made it call"],
        )

    def test_a_right_that_nothing_uses(self):
        self.assertEqual(
            self.called(CALLS.replace("order-api Query\n", "")),
            ["order-api: its role allows dynamodb:Query, which no test made it call"],
        )


if __name__ == "__main__":
    unittest.main()
