"""Dead-letter queues: redrive policies, their permissions, and the tasks that bring messages back."""

import json

import pytest
from conftest import arn_of
from support import attributes, eventually, nothing_in, receive, receive_one, refused

INVALID = ("InvalidParameterValue", "InvalidAttributeValue", "AWS.SimpleQueueService.NonExistentQueue")


@pytest.fixture
def pair(sqs, queue):
    """A queue whose messages are dead after so many receives, and the queue that gets them."""

    def create(receives=1, fifo=False, **given):
        dead = queue(fifo)
        policy = {"deadLetterTargetArn": arn_of(sqs, dead), "maxReceiveCount": receives}
        return queue(fifo, RedrivePolicy=json.dumps(policy), VisibilityTimeout="0", **given), dead

    return create


def test_a_message_is_dead_after_the_receives_that_the_policy_allows(sqs, pair):
    source, dead = pair(receives=2)
    sent = sqs.send_message(QueueUrl=source, MessageBody="poison", MessageAttributes={"a": {"DataType": "String", "StringValue": "x"}})
    assert [receive_one(sqs, source)["Attributes"]["ApproximateReceiveCount"] for _ in range(2)] == ["1", "2"]
    assert nothing_in(sqs, source)
    message = receive_one(sqs, dead)
    assert (message["Body"], message["MessageId"]) == ("poison", sent["MessageId"])
    assert message["MessageAttributes"] == {"a": {"DataType": "String", "StringValue": "x"}}
    assert message["Attributes"]["DeadLetterQueueSourceArn"] == arn_of(sqs, source)


def test_other_messages_are_untouched_by_a_dead_one(sqs, pair):
    source, dead = pair()
    sqs.send_message(QueueUrl=source, MessageBody="poison")
    receive_one(sqs, source)
    sqs.send_message(QueueUrl=source, MessageBody="good")
    assert receive_one(sqs, source, VisibilityTimeout=30)["Body"] == "good"
    assert receive_one(sqs, dead)["Body"] == "poison"


def test_the_redrive_policy_is_returned(sqs, pair):
    source, dead = pair(receives=3)
    policy = json.loads(attributes(sqs, source, "RedrivePolicy")["RedrivePolicy"])
    assert policy["deadLetterTargetArn"] == arn_of(sqs, dead) and int(policy["maxReceiveCount"]) == 3
    sqs.set_queue_attributes(QueueUrl=source, Attributes={"RedrivePolicy": ""})
    assert "RedrivePolicy" not in attributes(sqs, source)


@pytest.mark.parametrize(
    "policy",
    [
        "no JSON",
        "{}",
        '{"maxReceiveCount": 1}',
        '{"deadLetterTargetArn": "ARN"}',
        '{"deadLetterTargetArn": "ARN", "maxReceiveCount": 0}',
        '{"deadLetterTargetArn": "ARN", "maxReceiveCount": 1001}',
        '{"deadLetterTargetArn": "ARN", "maxReceiveCount": "many"}',
        '{"deadLetterTargetArn": "nonsense", "maxReceiveCount": 1}',
        '{"deadLetterTargetArn": "ARN-absent", "maxReceiveCount": 1}',
    ],
)
def test_a_wrong_redrive_policy_is_refused(sqs, queue, policy):
    arn = arn_of(sqs, queue())
    with refused(*INVALID):
        sqs.set_queue_attributes(QueueUrl=queue(), Attributes={"RedrivePolicy": policy.replace("ARN", arn)})


def test_the_dead_letter_queue_has_the_type_of_its_source(sqs, queue):
    for fifo in (True, False):
        policy = {"deadLetterTargetArn": arn_of(sqs, queue(fifo)), "maxReceiveCount": 1}
        with refused(*INVALID):
            sqs.set_queue_attributes(QueueUrl=queue(not fifo), Attributes={"RedrivePolicy": json.dumps(policy)})


def test_the_sources_of_a_dead_letter_queue(sqs, queue):
    dead = queue()
    policy = json.dumps({"deadLetterTargetArn": arn_of(sqs, dead), "maxReceiveCount": 1})
    sources = {queue(RedrivePolicy=policy) for _ in range(3)}
    assert set(sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"]) == sources
    assert sqs.list_dead_letter_source_queues(QueueUrl=next(iter(sources)))["queueUrls"] == []
    pages = sqs.get_paginator("list_dead_letter_source_queues").paginate(QueueUrl=dead, PaginationConfig={"PageSize": 2})
    found = [page["queueUrls"] for page in pages]
    assert [len(page) for page in found if page] == [2, 1]
    assert {url for page in found for url in page} == sources


def test_a_dead_letter_queue_may_refuse_sources(sqs, queue):
    dead, allowed = queue(), queue()
    policy = json.dumps({"deadLetterTargetArn": arn_of(sqs, dead), "maxReceiveCount": 1})
    sqs.set_queue_attributes(QueueUrl=dead, Attributes={"RedriveAllowPolicy": json.dumps({"redrivePermission": "denyAll"})})
    with refused(*INVALID):
        sqs.set_queue_attributes(QueueUrl=allowed, Attributes={"RedrivePolicy": policy})
    by_queue = {"redrivePermission": "byQueue", "sourceQueueArns": [arn_of(sqs, allowed)]}
    sqs.set_queue_attributes(QueueUrl=dead, Attributes={"RedriveAllowPolicy": json.dumps(by_queue)})
    sqs.set_queue_attributes(QueueUrl=allowed, Attributes={"RedrivePolicy": policy})
    with refused(*INVALID):
        sqs.set_queue_attributes(QueueUrl=queue(), Attributes={"RedrivePolicy": policy})
    sqs.set_queue_attributes(QueueUrl=dead, Attributes={"RedriveAllowPolicy": json.dumps({"redrivePermission": "allowAll"})})
    sqs.set_queue_attributes(QueueUrl=queue(), Attributes={"RedrivePolicy": policy})


@pytest.mark.parametrize(
    "policy",
    ["no JSON", "{}", '{"redrivePermission": "some"}', '{"redrivePermission": "byQueue"}', '{"redrivePermission": "denyAll", "sourceQueueArns": ["arn:aws:sqs:eu-west-1:000000000000:a"]}'],
)
def test_a_wrong_redrive_allow_policy_is_refused(sqs, queue, policy):
    with refused(*INVALID):
        sqs.set_queue_attributes(QueueUrl=queue(), Attributes={"RedriveAllowPolicy": policy})


def died(sqs, source, dead, *bodies):
    for body in bodies:
        sqs.send_message(QueueUrl=source, MessageBody=body)
    receive(sqs, source, len(bodies))
    assert nothing_in(sqs, source)
    count = "ApproximateNumberOfMessages"
    eventually(lambda: attributes(sqs, dead, count)[count] == str(len(bodies)))


def completed(sqs, dead):
    (task, *_) = sqs.list_message_move_tasks(SourceArn=arn_of(sqs, dead))["Results"]
    return task if task["Status"] == "COMPLETED" else None


def test_a_task_moves_dead_messages_back(sqs, pair):
    source, dead = pair()
    died(sqs, source, dead, "a", "b", "c")
    assert sqs.start_message_move_task(SourceArn=arn_of(sqs, dead))["TaskHandle"]
    task = eventually(lambda: completed(sqs, dead))
    assert task["SourceArn"] == arn_of(sqs, dead)
    assert task["ApproximateNumberOfMessagesMoved"] == 3 and task["StartedTimestamp"] > 0
    assert "TaskHandle" not in task and "DestinationArn" not in task
    assert nothing_in(sqs, dead)
    messages = receive(sqs, source, 3, VisibilityTimeout=30)
    assert {message["Body"] for message in messages} == {"a", "b", "c"}
    assert {message["Attributes"]["ApproximateReceiveCount"] for message in messages} == {"1"}


def test_a_task_may_have_another_destination(sqs, pair, queue):
    source, dead = pair()
    other = queue()
    died(sqs, source, dead, "a")
    sqs.start_message_move_task(SourceArn=arn_of(sqs, dead), DestinationArn=arn_of(sqs, other))
    assert eventually(lambda: completed(sqs, dead))["DestinationArn"] == arn_of(sqs, other)
    assert receive_one(sqs, other)["Body"] == "a"


def test_a_slow_task_can_be_cancelled(sqs, pair):
    source, dead = pair()
    died(sqs, source, dead, *map(str, range(10)))
    arn = arn_of(sqs, dead)
    handle = sqs.start_message_move_task(SourceArn=arn, MaxNumberOfMessagesPerSecond=1)["TaskHandle"]
    (task,) = sqs.list_message_move_tasks(SourceArn=arn)["Results"]
    assert (task["Status"], task["TaskHandle"], task["MaxNumberOfMessagesPerSecond"]) == ("RUNNING", handle, 1)
    with refused("InvalidParameterValue", "UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation"):
        sqs.start_message_move_task(SourceArn=arn)
    moved = sqs.cancel_message_move_task(TaskHandle=handle)["ApproximateNumberOfMessagesMoved"]
    assert moved < 10
    eventually(lambda: sqs.list_message_move_tasks(SourceArn=arn)["Results"][0]["Status"] == "CANCELLED")
    with refused("ResourceNotFoundException", "UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation"):
        sqs.cancel_message_move_task(TaskHandle=handle)


def test_tasks_are_listed_from_the_newest(sqs, pair):
    source, dead = pair()
    for _ in range(2):
        died(sqs, source, dead, "a")
        sqs.start_message_move_task(SourceArn=arn_of(sqs, dead))
        eventually(lambda: completed(sqs, dead))
        for message in receive(sqs, source, 1, VisibilityTimeout=30):
            sqs.delete_message(QueueUrl=source, ReceiptHandle=message["ReceiptHandle"])
    assert len(sqs.list_message_move_tasks(SourceArn=arn_of(sqs, dead))["Results"]) == 1
    found = sqs.list_message_move_tasks(SourceArn=arn_of(sqs, dead), MaxResults=10)["Results"]
    assert len(found) == 2 and found[0]["StartedTimestamp"] >= found[1]["StartedTimestamp"]


def test_a_task_needs_an_existing_dead_letter_queue(sqs, queue):
    url = queue()
    with refused("InvalidParameterValue", "UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation"):
        sqs.start_message_move_task(SourceArn=arn_of(sqs, url))
    with refused("ResourceNotFoundException"):
        sqs.start_message_move_task(SourceArn=f"{arn_of(sqs, url)}-absent")
    with refused("ResourceNotFoundException"):
        sqs.list_message_move_tasks(SourceArn=f"{arn_of(sqs, url)}-absent")
    with refused("ResourceNotFoundException", "InvalidParameterValue"):
        sqs.cancel_message_move_task(TaskHandle="nonsense")


@pytest.mark.parametrize("rate", [0, 501])
def test_the_rate_of_a_task_has_a_range(sqs, pair, rate):
    with refused("InvalidParameterValue"):
        sqs.start_message_move_task(SourceArn=arn_of(sqs, pair()[1]), MaxNumberOfMessagesPerSecond=rate)


def test_dead_messages_of_a_fifo_queue_keep_their_order(sqs, pair):
    source, dead = pair(fifo=True, ContentBasedDeduplication="true")
    for body in "ab":
        sqs.send_message(QueueUrl=source, MessageBody=body, MessageGroupId="g")
    assert [message["Body"] for message in receive(sqs, source, 2)] == ["a", "b"]
    assert nothing_in(sqs, source)
    assert [message["Body"] for message in receive(sqs, dead, 2)] == ["a", "b"]
