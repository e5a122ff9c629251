"""Messages: contents, attributes, sizes, delays, visibility, polls."""

import hashlib
import struct
import time

import pytest
from support import attributes, eventually, nothing_in, receive, receive_one, refused


def digest(given):
    """The MD5 of message attributes, as the SQS Developer Guide computes it."""
    md5 = hashlib.md5()

    def add(part):
        md5.update(struct.pack(">I", len(part)) + part)

    for name in sorted(given):
        value = given[name]
        add(name.encode())
        add(value["DataType"].encode())
        binary = "BinaryValue" in value
        md5.update(b"\x02" if binary else b"\x01")
        add(value["BinaryValue"] if binary else value["StringValue"].encode())
    return md5.hexdigest()


ATTRIBUTES = {
    "colour": {"DataType": "String", "StringValue": "grün"},
    "count": {"DataType": "Number.int", "StringValue": "12"},
    "order.kind": {"DataType": "String", "StringValue": "test"},
    "order.raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff\x80"},
}


def test_a_message_arrives_unchanged(sqs, queue):
    url = queue()
    body = "Grüße, 世界 🌍 <&\">\t\r\n  spaces  "
    sent = sqs.send_message(QueueUrl=url, MessageBody=body)
    assert sent["MD5OfMessageBody"] == hashlib.md5(body.encode()).hexdigest()
    message = receive_one(sqs, url)
    assert message["Body"] == body and message["MessageId"] == sent["MessageId"]
    assert message["MD5OfBody"] == sent["MD5OfMessageBody"]


def test_both_digests_of_message_attributes(sqs, queue):
    url = queue()
    trace = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-5759e988-bd862e3fe1be46a994272793"}}
    sent = sqs.send_message(QueueUrl=url, MessageBody="x", MessageAttributes=ATTRIBUTES, MessageSystemAttributes=trace)
    assert sent["MD5OfMessageAttributes"] == digest(ATTRIBUTES)
    assert sent["MD5OfMessageSystemAttributes"] == digest(trace)
    message = receive_one(sqs, url)
    assert message["MessageAttributes"] == ATTRIBUTES
    assert message["MD5OfMessageAttributes"] == digest(ATTRIBUTES)
    assert message["Attributes"]["AWSTraceHeader"] == trace["AWSTraceHeader"]["StringValue"]


@pytest.mark.parametrize(
    "asked, given",
    [(["colour"], {"colour"}), (["order.*"], {"order.kind", "order.raw"}), (["All"], set(ATTRIBUTES)), ([".*"], set(ATTRIBUTES)), ([], set())],
)
def test_message_attributes_are_returned_when_asked_for(sqs, queue, asked, given):
    url = queue()
    sqs.send_message(QueueUrl=url, MessageBody="x", MessageAttributes=ATTRIBUTES)
    message = receive_one(sqs, url, MessageAttributeNames=asked)
    assert set(message.get("MessageAttributes", {})) == given
    if given:
        assert message["MD5OfMessageAttributes"] == digest({name: ATTRIBUTES[name] for name in given})


def test_system_attributes_are_returned_when_asked_for(sqs, queue):
    url = queue()
    before = int(time.time() * 1000)
    sqs.send_message(QueueUrl=url, MessageBody="x")
    message = receive_one(sqs, url, AttributeNames=[], MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"])
    assert set(message["Attributes"]) == {"SentTimestamp", "ApproximateReceiveCount"}
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    assert before - 1000 <= int(message["Attributes"]["SentTimestamp"]) <= int(time.time() * 1000) + 1000


def test_all_system_attributes(sqs, queue):
    url = queue()
    sqs.send_message(QueueUrl=url, MessageBody="x")
    given = receive_one(sqs, url, AttributeNames=["All"])["Attributes"]
    assert {"SenderId", "SentTimestamp", "ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp"} <= set(given)
    assert "AWSTraceHeader" not in given and "MessageGroupId" not in given


def test_no_system_attributes_unless_asked_for(sqs, queue):
    url = queue()
    sqs.send_message(QueueUrl=url, MessageBody="x")
    assert "Attributes" not in receive_one(sqs, url, AttributeNames=[])


@pytest.mark.parametrize(
    "wrong",
    [
        {"a": {"DataType": "String", "StringValue": ""}},
        {"a": {"DataType": "Text", "StringValue": "x"}},
        {"a": {"DataType": "Number", "StringValue": "many"}},
        {"a": {"DataType": "Number", "StringValue": "1e999"}},
        {"a": {"DataType": "", "StringValue": "x"}},
        {"a": {"DataType": "Binary", "StringValue": "x"}},
        {"a": {"DataType": "String"}},
        {"AWS.a": {"DataType": "String", "StringValue": "x"}},
        {"amazon.a": {"DataType": "String", "StringValue": "x"}},
        {".a": {"DataType": "String", "StringValue": "x"}},
        {"a..b": {"DataType": "String", "StringValue": "x"}},
        {"a b": {"DataType": "String", "StringValue": "x"}},
        {"a" * 257: {"DataType": "String", "StringValue": "x"}},
        {f"a{number}": {"DataType": "String", "StringValue": "x"} for number in range(11)},
    ],
    ids=lambda wrong: " ".join(f"{name[:8]}:{value}" for name, value in list(wrong.items())[:2]),
)
def test_a_wrong_message_attribute_is_refused(sqs, queue, wrong):
    with refused("InvalidParameterValue", "InvalidParameterCombination", "MissingParameter"):
        sqs.send_message(QueueUrl=queue(), MessageBody="x", MessageAttributes=wrong)


def test_ten_message_attributes_are_allowed(sqs, queue):
    url = queue()
    given = {f"a{number}": {"DataType": "String", "StringValue": "x"} for number in range(10)}
    sqs.send_message(QueueUrl=url, MessageBody="x", MessageAttributes=given)
    assert receive_one(sqs, url)["MessageAttributes"] == given


def test_an_unknown_system_attribute_is_refused(sqs, queue):
    with refused("InvalidParameterValue"):
        wrong = {"Colour": {"DataType": "String", "StringValue": "x"}}
        sqs.send_message(QueueUrl=queue(), MessageBody="x", MessageSystemAttributes=wrong)


def test_an_empty_body_is_refused(sqs, queue):
    with refused("MissingParameter", "InvalidParameterValue"):
        sqs.send_message(QueueUrl=queue(), MessageBody="")


@pytest.mark.parametrize("letter", ["\x00", "\x0b", "\ufffe"], ids=ascii)
def test_a_body_with_a_forbidden_letter_is_refused(sqs, queue, letter):
    with refused("InvalidMessageContents"):
        sqs.send_message(QueueUrl=queue(), MessageBody=f"a{letter}b")


def test_the_largest_message_has_a_mebibyte(sqs, queue):
    url = queue()
    sqs.send_message(QueueUrl=url, MessageBody="x" * 1048576)
    with refused("InvalidParameterValue", saying="1048576"):
        sqs.send_message(QueueUrl=url, MessageBody="x" * 1048577)
    assert len(receive_one(sqs, url)["Body"]) == 1048576


def test_the_size_of_attributes_counts(sqs, queue):
    url = queue(MaximumMessageSize="1024")
    attribute = {"ab": {"DataType": "String", "StringValue": "x" * 100}}
    sqs.send_message(QueueUrl=url, MessageBody="x" * (1024 - 100 - 6 - 2), MessageAttributes=attribute)
    with refused("InvalidParameterValue"):
        sqs.send_message(QueueUrl=url, MessageBody="x" * (1024 - 100 - 6 - 1), MessageAttributes=attribute)


def test_a_received_message_is_hidden_and_counted_as_in_flight(sqs, queue):
    url = queue()
    sqs.send_message(QueueUrl=url, MessageBody="x")
    receive_one(sqs, url)
    assert nothing_in(sqs, url)
    counts = attributes(sqs, url, "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    assert counts == {"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "1"}


def test_a_message_returns_after_its_visibility_timeout(sqs, queue):
    url = queue(VisibilityTimeout="1")
    sqs.send_message(QueueUrl=url, MessageBody="x")
    first = receive_one(sqs, url)
    second = receive_one(sqs, url)
    assert second["MessageId"] == first["MessageId"]
    assert second["ReceiptHandle"] != first["ReceiptHandle"]
    assert second["Attributes"]["ApproximateReceiveCount"] == "2"
    assert second["Attributes"]["ApproximateFirstReceiveTimestamp"] == first["Attributes"]["ApproximateFirstReceiveTimestamp"]


def test_a_receive_may_have_a_visibility_timeout_of_its_own(sqs, queue):
    url = queue(VisibilityTimeout="30")
    sqs.send_message(QueueUrl=url, MessageBody="x")
    receive_one(sqs, url, VisibilityTimeout=0)
    receive_one(sqs, url, VisibilityTimeout=1)
    assert nothing_in(sqs, url)
    receive_one(sqs, url)


def test_a_deleted_message_does_not_return(sqs, queue):
    url = queue(VisibilityTimeout="1")
    sqs.send_message(QueueUrl=url, MessageBody="x")
    message = receive_one(sqs, url)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert "Messages" not in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=2)


def test_a_message_can_be_deleted_after_its_visibility_timeout(sqs, queue):
    url = queue()
    sqs.send_message(QueueUrl=url, MessageBody="x")
    handle = receive_one(sqs, url, VisibilityTimeout=0)["ReceiptHandle"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=handle)
    assert nothing_in(sqs, url)


def test_a_handle_that_is_none_is_refused(sqs, queue):
    url = queue()
    with refused("ReceiptHandleIsInvalid"):
        sqs.delete_message(QueueUrl=url, ReceiptHandle="nonsense")
    with refused("ReceiptHandleIsInvalid"):
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle="nonsense", VisibilityTimeout=1)


def test_the_visibility_of_a_message_changes(sqs, queue):
    url = queue()
    sqs.send_message(QueueUrl=url, MessageBody="x")
    handle = receive_one(sqs, url)["ReceiptHandle"]
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
    handle = receive_one(sqs, url, VisibilityTimeout=1)["ReceiptHandle"]
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=30)
    assert "Messages" not in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=2)


def test_the_visibility_of_a_visible_message_does_not_change(sqs, queue):
    url = queue()
    sqs.send_message(QueueUrl=url, MessageBody="x")
    handle = receive_one(sqs, url, VisibilityTimeout=0)["ReceiptHandle"]
    with refused("AWS.SimpleQueueService.MessageNotInflight", "MessageNotInflight", "InvalidParameterValue"):
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=5)


@pytest.mark.parametrize("seconds", [-1, 43201])
def test_a_visibility_timeout_has_a_range(sqs, queue, seconds):
    url = queue()
    sqs.send_message(QueueUrl=url, MessageBody="x")
    with refused("InvalidParameterValue"):
        sqs.receive_message(QueueUrl=url, VisibilityTimeout=seconds)
    handle = receive_one(sqs, url)["ReceiptHandle"]
    with refused("InvalidParameterValue"):
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=seconds)


@pytest.mark.parametrize("options", [{"MaxNumberOfMessages": 0}, {"MaxNumberOfMessages": 11}, {"WaitTimeSeconds": 21}, {"WaitTimeSeconds": -1}], ids=str)
def test_the_options_of_a_receive_have_ranges(sqs, queue, options):
    with refused("InvalidParameterValue"):
        sqs.receive_message(QueueUrl=queue(), **options)


def test_one_message_by_default_ten_at_most(sqs, queue):
    url = queue()
    for start in (0, 10):
        entries = [{"Id": str(number), "MessageBody": str(start + number)} for number in range(10)]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)
    assert len(sqs.receive_message(QueueUrl=url)["Messages"]) == 1
    assert len(receive(sqs, url, 10)) == 10


def test_a_delayed_message_arrives_later(sqs, queue):
    url = queue()
    began = time.monotonic()
    sqs.send_message(QueueUrl=url, MessageBody="late", DelaySeconds=2)
    assert nothing_in(sqs, url)
    assert attributes(sqs, url, "ApproximateNumberOfMessagesDelayed") == {"ApproximateNumberOfMessagesDelayed": "1"}
    assert receive_one(sqs, url, wait=10)["Body"] == "late"
    assert 1 <= time.monotonic() - began < 6


def test_a_queue_may_delay_all_its_messages(sqs, queue):
    url = queue(DelaySeconds="2")
    sqs.send_message(QueueUrl=url, MessageBody="late")
    sqs.send_message(QueueUrl=url, MessageBody="at once", DelaySeconds=0)
    assert receive_one(sqs, url)["Body"] == "at once"
    assert receive_one(sqs, url, wait=10)["Body"] == "late"


@pytest.mark.parametrize("seconds", [-1, 901])
def test_a_delay_has_a_range(sqs, queue, seconds):
    with refused("InvalidParameterValue"):
        sqs.send_message(QueueUrl=queue(), MessageBody="x", DelaySeconds=seconds)


def test_a_long_poll_waits_for_its_time(sqs, queue):
    began = time.monotonic()
    assert "Messages" not in sqs.receive_message(QueueUrl=queue(), WaitTimeSeconds=1)
    assert 0.9 <= time.monotonic() - began < 3


def test_the_queue_may_make_every_poll_long(sqs, queue):
    url = queue(ReceiveMessageWaitTimeSeconds="1")
    began = time.monotonic()
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    assert 0.9 <= time.monotonic() - began < 3
    began = time.monotonic()
    assert "Messages" not in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=0)
    assert time.monotonic() - began < 0.9


def test_a_long_poll_ends_when_a_message_arrives(sqs, queue, poller):
    url = queue()
    poll = poller(url, WaitTimeSeconds=20)
    began = time.monotonic()
    sqs.send_message(QueueUrl=url, MessageBody="x")
    assert [message["Body"] for message in poll()] == ["x"]
    assert time.monotonic() - began < 5


def test_a_long_poll_ends_when_a_message_becomes_visible(sqs, queue, poller):
    url = queue(VisibilityTimeout="1")
    sqs.send_message(QueueUrl=url, MessageBody="x")
    receive_one(sqs, url)
    poll = poller(url, WaitTimeSeconds=20)
    began = time.monotonic()
    assert [message["Body"] for message in poll()] == ["x"]
    assert time.monotonic() - began < 6


def test_each_of_two_polls_gets_one_message(sqs, queue, poller):
    url = queue()
    polls = [poller(url, WaitTimeSeconds=10, MaxNumberOfMessages=1) for _ in range(2)]
    for body in "ab":
        sqs.send_message(QueueUrl=url, MessageBody=body)
    assert sorted(message["Body"] for poll in polls for message in poll()) == ["a", "b"]


def test_messages_are_counted(sqs, queue):
    url = queue()
    for body in "abc":
        sqs.send_message(QueueUrl=url, MessageBody=body)
    eventually(lambda: attributes(sqs, url, "ApproximateNumberOfMessages")["ApproximateNumberOfMessages"] == "3")
    receive_one(sqs, url, MaxNumberOfMessages=1)
    eventually(lambda: attributes(sqs, url, "ApproximateNumberOfMessages")["ApproximateNumberOfMessages"] == "2")
