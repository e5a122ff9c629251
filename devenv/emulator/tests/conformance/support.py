"""Waiting for conditions, receiving, and expecting errors."""

import contextlib
import json
import time

import pytest
from botocore.exceptions import ClientError

DEADLINE = 15


def eventually(check, seconds=DEADLINE):
    """Returns the first true result of `check`; fails after the deadline."""
    end = time.monotonic() + seconds
    while True:
        result = check()
        if result:
            return result
        assert time.monotonic() < end, f"not within {seconds} s; the last result was {result!r}"
        time.sleep(0.05)


def receive(sqs, url, count=1, wait=3, **options):
    """Receives at least `count` messages by long polls, in the order of their arrival."""
    options = {"MaxNumberOfMessages": 10, "AttributeNames": ["All"], "MessageAttributeNames": ["All"], **options}
    found, end = [], time.monotonic() + DEADLINE
    while len(found) < count and time.monotonic() < end:
        found += sqs.receive_message(QueueUrl=url, WaitTimeSeconds=wait, **options).get("Messages", [])
    assert len(found) >= count, f"{len(found)} of {count} messages: {[message['Body'] for message in found]}"
    return found


def receive_one(sqs, url, **options):
    messages = receive(sqs, url, 1, **options)
    assert len(messages) == 1, [message["Body"] for message in messages]
    return messages[0]


def nothing_in(sqs, url):
    """The queue has nothing to receive now. Call it after what would have brought a message has been answered."""
    return "Messages" not in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)


def notification(sqs, url):
    """The envelope of the next message that a topic has put into the queue."""
    message = receive_one(sqs, url)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return json.loads(message["Body"])


def attributes(sqs, url, *names):
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(names or ["All"]))["Attributes"]


@contextlib.contextmanager
def refused(*codes, saying=""):
    """Expects an error with one of the codes. boto3 gives the code of the older protocol where the two differ."""
    with pytest.raises(ClientError) as caught:
        yield caught
    answer = caught.value.response
    assert answer["Error"]["Code"] in codes, answer["Error"]
    assert 400 <= answer["ResponseMetadata"]["HTTPStatusCode"] < 500, answer
    assert saying.lower() in answer["Error"]["Message"].lower(), answer["Error"]


NO_QUEUE = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
