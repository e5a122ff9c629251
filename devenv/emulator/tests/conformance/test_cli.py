"""The AWS CLI: what a person types, and what --cli-input-json takes from a file."""

import json
import os
import pathlib
import subprocess
import sys

import pytest
from conftest import ENDPOINT, REGION

AWS = pathlib.Path(sys.executable).with_name("aws")


def aws(*words, fails=False):
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.devnull,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_PAGER": "",
    }
    # By an option: version 1 of the AWS CLI ignores AWS_ENDPOINT_URL for SQS.
    ended = subprocess.run([AWS, "--endpoint-url", ENDPOINT, *words, "--output", "json"], env=environment, capture_output=True, text=True, timeout=60)
    assert (ended.returncode != 0) == fails, ended.stderr
    return ended.stderr if fails else json.loads(ended.stdout or "null")


@pytest.fixture
def files(tmp_path):
    def write(**content):
        path = tmp_path / "input.json"
        path.write_text(json.dumps(content))
        return f"file://{path}"

    return write


def test_the_command_line_sends_and_receives(name):
    url = aws("sqs", "create-queue", "--queue-name", name, "--attributes", "VisibilityTimeout=7")["QueueUrl"]
    sent = aws("sqs", "send-message", "--queue-url", url, "--message-body", "hello", "--message-attributes", "a={DataType=String,StringValue=x}")
    found = aws("sqs", "receive-message", "--queue-url", url, "--wait-time-seconds", "3", "--attribute-names", "All", "--message-attribute-names", "All")
    (message,) = found["Messages"]
    assert (message["Body"], message["MessageId"]) == ("hello", sent["MessageId"])
    assert message["MessageAttributes"] == {"a": {"StringValue": "x", "DataType": "String"}}
    aws("sqs", "delete-message", "--queue-url", url, "--receipt-handle", message["ReceiptHandle"])
    given = aws("sqs", "get-queue-attributes", "--queue-url", url, "--attribute-names", "All")["Attributes"]
    assert (given["VisibilityTimeout"], given["ApproximateNumberOfMessages"]) == ("7", "0")
    aws("sqs", "delete-queue", "--queue-url", url)
    assert "NonExistentQueue" in aws("sqs", "receive-message", "--queue-url", url, fails=True)


def test_the_command_line_sends_batches_in_order(name, files):
    url = aws("sqs", "create-queue", "--cli-input-json", files(QueueName=f"{name}.fifo", Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"}))["QueueUrl"]
    entries = [{"Id": str(n), "MessageBody": str(n), "MessageGroupId": "g"} for n in range(3)]
    assert len(aws("sqs", "send-message-batch", "--cli-input-json", files(QueueUrl=url, Entries=entries))["Successful"]) == 3
    found = aws("sqs", "receive-message", "--queue-url", url, "--max-number-of-messages", "10", "--wait-time-seconds", "3")
    assert [message["Body"] for message in found["Messages"]] == ["0", "1", "2"]
    aws("sqs", "delete-queue", "--queue-url", url)


def test_the_command_line_fans_out_with_filters_and_dead_letters(name, files):
    urls, arns = {}, {}
    for role in ("orders", "dead"):
        urls[role] = aws("sqs", "create-queue", "--queue-name", f"{name}-{role}")["QueueUrl"]
        given = aws("sqs", "get-queue-attributes", "--queue-url", urls[role], "--attribute-names", "QueueArn")
        arns[role] = given["Attributes"]["QueueArn"]
    redrive = json.dumps({"deadLetterTargetArn": arns["dead"], "maxReceiveCount": 1})
    attributes = {"RedrivePolicy": redrive, "VisibilityTimeout": "0"}
    aws("sqs", "set-queue-attributes", "--cli-input-json", files(QueueUrl=urls["orders"], Attributes=attributes))
    topic = aws("sns", "create-topic", "--name", name)["TopicArn"]
    policy = json.dumps({"type": [{"prefix": "order."}]})
    subscription = {"FilterPolicy": policy, "RawMessageDelivery": "true"}
    aws("sns", "subscribe", "--cli-input-json", files(TopicArn=topic, Protocol="sqs", Endpoint=arns["orders"], Attributes=subscription))
    for kind in ("stock.low", "order.confirmed"):
        aws("sns", "publish", "--topic-arn", topic, "--message", kind, "--message-attributes", f"type={{DataType=String,StringValue={kind}}}")
    (message,) = aws("sqs", "receive-message", "--queue-url", urls["orders"], "--max-number-of-messages", "10", "--wait-time-seconds", "3")["Messages"]
    assert message["Body"] == "order.confirmed"
    assert not aws("sqs", "receive-message", "--queue-url", urls["orders"])
    (dead,) = aws("sqs", "receive-message", "--queue-url", urls["dead"], "--wait-time-seconds", "3")["Messages"]
    assert dead["MessageId"] == message["MessageId"]
    aws("sns", "delete-topic", "--topic-arn", topic)
    for url in urls.values():
        aws("sqs", "delete-queue", "--queue-url", url)
