"""Clients of the emulator at CONFORMANCE_ENDPOINT, and queues and topics with names that no other test uses."""

import concurrent.futures
import os
import uuid

import boto3
import pytest
from botocore.config import Config

ENDPOINT = os.environ["CONFORMANCE_ENDPOINT"]
REGION = "eu-west-1"
ACCESS = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": REGION}


def client(service):
    # No retries: a test sees each answer. The time limit lies above the longest poll.
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=30)
    return boto3.client(service, endpoint_url=ENDPOINT, config=config, **ACCESS)


@pytest.fixture(scope="session")
def sqs():
    return client("sqs")


@pytest.fixture(scope="session")
def sns():
    return client("sns")


@pytest.fixture
def name():
    return f"t-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def queue(sqs):
    """Creates queues: `queue(VisibilityTimeout="1")` returns a URL."""
    made = []

    def create(fifo=False, **attributes):
        name = f"q-{uuid.uuid4().hex[:12]}"
        if fifo:
            name, attributes = f"{name}.fifo", {"FifoQueue": "true", **attributes}
        made.append(sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])
        return made[-1]

    yield create
    for url in made:
        try:
            sqs.delete_queue(QueueUrl=url)
        except sqs.exceptions.ClientError:
            pass  # the test has deleted it


@pytest.fixture
def topic(sns):
    """Creates topics: `topic(fifo=True)` returns an ARN."""
    made = []

    def create(fifo=False, **attributes):
        name = f"t-{uuid.uuid4().hex[:12]}"
        if fifo:
            name, attributes = f"{name}.fifo", {"FifoTopic": "true", **attributes}
        made.append(sns.create_topic(Name=name, Attributes=attributes)["TopicArn"])
        return made[-1]

    yield create
    for arn in made:
        sns.delete_topic(TopicArn=arn)


@pytest.fixture
def subscribed(sqs, sns, queue, topic):
    """A topic with one queue: `topic, url, subscription = subscribed(RawMessageDelivery="true")`."""

    def create(fifo=False, topic_attributes=None, queue_attributes=None, **attributes):
        arn, url = topic(fifo, **(topic_attributes or {})), queue(fifo, **(queue_attributes or {}))
        subscription = sns.subscribe(
            TopicArn=arn, Protocol="sqs", Endpoint=arn_of(sqs, url), Attributes=attributes, ReturnSubscriptionArn=True
        )["SubscriptionArn"]
        return arn, url, subscription

    return create


def arn_of(sqs, url):
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


@pytest.fixture
def poller():
    """Starts a receive in a thread with a client of its own: `poll = poller(url, ...)`, and `poll()` returns its messages."""
    with concurrent.futures.ThreadPoolExecutor() as threads:

        def start(url, **options):
            answer = threads.submit(client("sqs").receive_message, QueueUrl=url, **options)
            return lambda: answer.result(timeout=30).get("Messages", [])

        yield start
