"""FIFO queues: order in groups, deduplication, high throughput."""

import hashlib

import pytest
from support import attributes, nothing_in, receive, receive_one, refused


def send(sqs, url, body, group="g", **options):
    options.setdefault("MessageDeduplicationId", f"{group} {body}".replace(" ", "-"))
    return sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=group, **options)


def test_the_name_of_a_fifo_queue_has_a_suffix(sqs, name):
    with refused("InvalidParameterValue"):
        sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true"})
    with refused("InvalidParameterValue"):
        sqs.create_queue(QueueName=f"{name}.fifo")
    with refused("InvalidParameterValue"):
        sqs.create_queue(QueueName="a" * 76 + ".fifo", Attributes={"FifoQueue": "true"})


def test_the_attributes_of_a_fifo_queue(sqs, queue):
    given = attributes(sqs, queue(True))
    expected = {
        "FifoQueue": "true",
        "ContentBasedDeduplication": "false",
        "DeduplicationScope": "queue",
        "FifoThroughputLimit": "perQueue",
    }
    assert {name: given.get(name) for name in expected} == expected


def test_a_queue_does_not_change_its_type(sqs, queue):
    with refused("InvalidAttributeName", "InvalidAttributeValue"):
        sqs.set_queue_attributes(QueueUrl=queue(), Attributes={"FifoQueue": "true"})
    with refused("InvalidAttributeName", "InvalidAttributeValue"):
        sqs.set_queue_attributes(QueueUrl=queue(), Attributes={"ContentBasedDeduplication": "true"})


def test_a_group_keeps_its_order(sqs, queue):
    url = queue(True)
    sequences = [int(send(sqs, url, str(number))["SequenceNumber"]) for number in range(12)]
    assert sequences == sorted(sequences) and len(set(sequences)) == 12
    first = receive(sqs, url, 1)
    assert [message["Body"] for message in first] == [str(number) for number in range(10)]
    assert [int(message["Attributes"]["SequenceNumber"]) for message in first] == sequences[:10]
    assert {message["Attributes"]["MessageGroupId"] for message in first} == {"g"}


def test_a_message_in_flight_blocks_its_group_alone(sqs, queue):
    url = queue(True)
    for body in ("a1", "a2"):
        send(sqs, url, body, group="a")
    send(sqs, url, "b1", group="b")
    first = receive_one(sqs, url, MaxNumberOfMessages=1)
    assert first["Body"] == "a1"
    assert receive_one(sqs, url)["Body"] == "b1"
    assert nothing_in(sqs, url)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
    assert receive_one(sqs, url)["Body"] == "a2"


def test_a_message_that_returns_comes_before_its_successors(sqs, queue):
    url = queue(True)
    for body in "abc":
        send(sqs, url, body)
    handle = receive_one(sqs, url, MaxNumberOfMessages=1)["ReceiptHandle"]
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
    assert [message["Body"] for message in receive(sqs, url, 3)] == ["a", "b", "c"]


def test_a_group_is_required(sqs, queue):
    with refused("MissingParameter"):
        sqs.send_message(QueueUrl=queue(True), MessageBody="x", MessageDeduplicationId="x")


@pytest.mark.parametrize("group", ["", "a" * 129, "with space", "ü"])
def test_a_group_outside_of_the_alphabet_is_refused(sqs, queue, group):
    with refused("InvalidParameterValue", "MissingParameter"):
        send(sqs, queue(True), "x", group=group, MessageDeduplicationId="x")


def test_an_id_or_the_content_is_required(sqs, queue):
    with refused("InvalidParameterValue"):
        sqs.send_message(QueueUrl=queue(True), MessageBody="x", MessageGroupId="g")


def test_an_id_is_sent_once(sqs, queue):
    url = queue(True)
    first = send(sqs, url, "a", MessageDeduplicationId="one")
    again = send(sqs, url, "b", MessageDeduplicationId="one")
    assert (again["MessageId"], again["SequenceNumber"]) == (first["MessageId"], first["SequenceNumber"])
    message = receive_one(sqs, url)
    assert message["Body"] == "a" and message["Attributes"]["MessageDeduplicationId"] == "one"
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    send(sqs, url, "c", MessageDeduplicationId="one")
    assert nothing_in(sqs, url)


def test_an_id_is_sent_once_across_groups(sqs, queue):
    url = queue(True)
    send(sqs, url, "a", group="a", MessageDeduplicationId="one")
    send(sqs, url, "b", group="b", MessageDeduplicationId="one")
    assert receive_one(sqs, url)["Body"] == "a"


def test_deduplication_may_be_by_group(sqs, queue):
    url = queue(True, DeduplicationScope="messageGroup", FifoThroughputLimit="perMessageGroupId")
    send(sqs, url, "a", group="a", MessageDeduplicationId="one")
    send(sqs, url, "b", group="b", MessageDeduplicationId="one")
    assert {message["Body"] for message in receive(sqs, url, 2)} == {"a", "b"}


def test_the_limit_by_group_needs_deduplication_by_group(sqs, queue):
    with refused("InvalidAttributeValue", "InvalidParameterValue"):
        sqs.set_queue_attributes(QueueUrl=queue(True), Attributes={"FifoThroughputLimit": "perMessageGroupId"})


def test_the_content_may_be_the_id(sqs, queue):
    url = queue(True, ContentBasedDeduplication="true")
    for colour in ("red", "blue"):
        attribute = {"colour": {"DataType": "String", "StringValue": colour}}
        sqs.send_message(QueueUrl=url, MessageBody="same", MessageGroupId="g", MessageAttributes=attribute)
    message = receive_one(sqs, url)
    assert message["MessageAttributes"]["colour"]["StringValue"] == "red"
    assert message["Attributes"]["MessageDeduplicationId"] == hashlib.sha256(b"same").hexdigest()


def test_an_id_goes_before_the_content(sqs, queue):
    url = queue(True, ContentBasedDeduplication="true")
    for number in "12":
        sqs.send_message(QueueUrl=url, MessageBody="same", MessageGroupId="g", MessageDeduplicationId=number)
    assert len(receive(sqs, url, 2)) == 2


def test_a_message_of_a_fifo_queue_has_no_delay_of_its_own(sqs, queue):
    with refused("InvalidParameterValue"):
        send(sqs, queue(True), "x", DelaySeconds=1)


def test_a_fifo_queue_may_delay_all_its_messages(sqs, queue):
    url = queue(True, DelaySeconds="1")
    send(sqs, url, "late")
    assert nothing_in(sqs, url)
    assert receive_one(sqs, url, wait=10)["Body"] == "late"


def test_a_standard_queue_takes_a_group_and_no_id(sqs, queue):
    url = queue()
    sqs.send_message(QueueUrl=url, MessageBody="x", MessageGroupId="tenant")
    assert receive_one(sqs, url)["Attributes"]["MessageGroupId"] == "tenant"
    with refused("InvalidParameterValue"):
        sqs.send_message(QueueUrl=url, MessageBody="x", MessageDeduplicationId="x")


def test_a_repeated_attempt_gets_the_same_messages(sqs, queue):
    url = queue(True)
    for body in "ab":
        send(sqs, url, body)
    first = receive(sqs, url, 2, ReceiveRequestAttemptId="attempt-1")
    again = receive(sqs, url, 2, ReceiveRequestAttemptId="attempt-1")
    assert [message["MessageId"] for message in again] == [message["MessageId"] for message in first]


def test_a_batch_keeps_its_order(sqs, queue):
    url = queue(True)
    given = [{"Id": str(n), "MessageBody": str(n), "MessageGroupId": "g", "MessageDeduplicationId": str(n // 2)} for n in range(6)]
    sent = sqs.send_message_batch(QueueUrl=url, Entries=given)["Successful"]
    assert len(sent) == 6 and len({entry["SequenceNumber"] for entry in sent}) == 3
    assert [message["Body"] for message in receive(sqs, url, 3)] == ["0", "2", "4"]
