"""Publishing: envelopes, raw delivery, structures, limits, batches, FIFO topics."""

import datetime
import hashlib
import json

import pytest
from conftest import arn_of
from support import notification, nothing_in, receive, receive_one, refused

ATTRIBUTES = {
    "type": {"DataType": "String", "StringValue": "order.confirmed"},
    "total": {"DataType": "Number", "StringValue": "12.5"},
    "tags": {"DataType": "String.Array", "StringValue": '["a", "b"]'},
    "raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
}


def test_the_envelope_of_a_message(sqs, sns, subscribed):
    topic, url, _ = subscribed()
    message_id = sns.publish(TopicArn=topic, Message="Grüße <&>", Subject="greeting")["MessageId"]
    message = receive_one(sqs, url)
    assert "MessageAttributes" not in message
    envelope = json.loads(message["Body"])
    expected = {"Type": "Notification", "MessageId": message_id, "TopicArn": topic, "Subject": "greeting", "Message": "Grüße <&>"}
    assert {name: envelope.get(name) for name in expected} == expected
    assert envelope["SignatureVersion"] == "1" and "Unsubscribe" in envelope["UnsubscribeURL"]
    at = datetime.datetime.strptime(envelope["Timestamp"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=datetime.timezone.utc)
    assert abs(datetime.datetime.now(datetime.timezone.utc) - at) < datetime.timedelta(minutes=1)
    assert "MessageAttributes" not in envelope


def test_the_envelope_has_no_subject_unless_given(sqs, sns, subscribed):
    topic, url, _ = subscribed()
    sns.publish(TopicArn=topic, Message="x")
    assert "Subject" not in notification(sqs, url)


def test_the_envelope_has_the_attributes(sqs, sns, subscribed):
    topic, url, _ = subscribed()
    sns.publish(TopicArn=topic, Message="x", MessageAttributes=ATTRIBUTES)
    assert notification(sqs, url)["MessageAttributes"] == {
        "type": {"Type": "String", "Value": "order.confirmed"},
        "total": {"Type": "Number", "Value": "12.5"},
        "tags": {"Type": "String.Array", "Value": '["a", "b"]'},
        "raw": {"Type": "Binary", "Value": "AP8="},
    }


def test_a_raw_message_arrives_unchanged_with_its_attributes(sqs, sns, subscribed):
    topic, url, _ = subscribed(RawMessageDelivery="true")
    sns.publish(TopicArn=topic, Message="plain", Subject="lost", MessageAttributes=ATTRIBUTES)
    message = receive_one(sqs, url)
    assert message["Body"] == "plain" and message["MD5OfBody"] == hashlib.md5(b"plain").hexdigest()
    assert message["MessageAttributes"] == ATTRIBUTES


def test_every_subscription_gets_the_message_once(sqs, sns, queue, topic):
    arn, urls = topic(), [queue() for _ in range(3)]
    for url in urls:
        sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=arn_of(sqs, url))
    message_id = sns.publish(TopicArn=arn, Message="x")["MessageId"]
    assert [notification(sqs, url)["MessageId"] for url in urls] == [message_id] * 3
    assert all(nothing_in(sqs, url) for url in urls)


def test_a_topic_without_subscriptions_takes_messages(sns, topic):
    assert sns.publish(TopicArn=topic(), Message="x")["MessageId"]


def test_the_target_may_be_a_topic(sqs, sns, subscribed):
    topic, url, _ = subscribed()
    sns.publish(TargetArn=topic, Message="x")
    assert notification(sqs, url)["Message"] == "x"


def test_a_structure_has_a_text_for_each_protocol(sqs, sns, subscribed):
    topic, url, _ = subscribed(RawMessageDelivery="true")
    given = {"default": "for all", "sqs": "for queues", "http": "for endpoints", "unknown": "x", "email": 1}
    sns.publish(TopicArn=topic, Message=json.dumps(given), MessageStructure="json")
    assert receive_one(sqs, url)["Body"] == "for queues"


def test_the_default_of_a_structure(sqs, sns, subscribed):
    topic, url, _ = subscribed()
    sns.publish(TopicArn=topic, Message=json.dumps({"default": "for all"}), MessageStructure="json")
    assert notification(sqs, url)["Message"] == "for all"


@pytest.mark.parametrize("message", ["no JSON", "[]", "{}", '{"sqs": "x"}', '{"default": 1}'])
def test_a_structure_without_a_default_is_refused(sns, topic, message):
    with refused("InvalidParameter"):
        sns.publish(TopicArn=topic(), Message=message, MessageStructure="json")


@pytest.mark.parametrize(
    "wrong",
    [{"Message": ""}, {"Subject": ""}, {"Subject": "x" * 100}, {"Subject": "two\nlines"}, {"MessageStructure": "xml"}, {"MessageDeduplicationId": "x"}],
    ids=lambda wrong: " ".join(wrong),
)
def test_a_wrong_parameter_of_a_message_is_refused(sns, topic, wrong):
    with refused("InvalidParameter"):
        sns.publish(**{"TopicArn": topic(), "Message": "x", **wrong})


@pytest.mark.parametrize(
    "wrong",
    [
        {"DataType": "Text", "StringValue": "x"},
        {"DataType": "String", "StringValue": ""},
        {"DataType": "Number", "StringValue": "many"},
        {"DataType": "String"},
    ],
    ids=str,
)
def test_a_wrong_attribute_of_a_message_is_refused(sns, topic, wrong):
    with refused("ParameterValueInvalid", "InvalidParameterValue", "InvalidParameter"):
        sns.publish(TopicArn=topic(), Message="x", MessageAttributes={"a": wrong})


def test_the_largest_message_has_256_kibibytes(sqs, sns, subscribed):
    topic, url, _ = subscribed(RawMessageDelivery="true")
    sns.publish(TopicArn=topic, Message="x" * 262144)
    assert len(receive_one(sqs, url)["Body"]) == 262144
    with refused("InvalidParameter", saying="too long"):
        sns.publish(TopicArn=topic, Message="x" * 262145)


def test_a_batch_is_published(sqs, sns, subscribed):
    topic, url, _ = subscribed(RawMessageDelivery="true")
    entries = [{"Id": str(number), "Message": f"m{number}", "MessageAttributes": {"n": {"DataType": "Number", "StringValue": str(number)}}} for number in range(10)]
    sent = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    assert {entry["Id"] for entry in sent["Successful"]} == {str(number) for number in range(10)} and sent["Failed"] == []
    assert len({entry["MessageId"] for entry in sent["Successful"]}) == 10
    messages = receive(sqs, url, 10)
    assert {message["Body"] for message in messages} == {f"m{number}" for number in range(10)}
    assert all(message["Body"] == f"m{message['MessageAttributes']['n']['StringValue']}" for message in messages)


@pytest.mark.parametrize(
    "ids, code",
    [
        ([], "EmptyBatchRequest"),
        (list("abcdefghijk"), "TooManyEntriesInBatchRequest"),
        (["same", "same"], "BatchEntryIdsNotDistinct"),
        (["not an id"], "InvalidBatchEntryId"),
    ],
    ids=["none", "eleven", "the same id", "a space"],
)
def test_a_batch_is_refused_as_a_whole(sqs, sns, subscribed, ids, code):
    topic, url, _ = subscribed()
    with refused(code):
        sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=[{"Id": name, "Message": "x"} for name in ids])
    assert nothing_in(sqs, url)


def test_the_messages_of_a_batch_share_256_kibibytes(sns, topic):
    entries = [{"Id": str(number), "Message": "x" * 131073} for number in range(2)]
    with refused("BatchRequestTooLong"):
        sns.publish_batch(TopicArn=topic(), PublishBatchRequestEntries=entries)


def test_a_wrong_entry_fails_alone(sqs, sns, subscribed):
    topic, url, _ = subscribed()
    entries = [{"Id": "right", "Message": "x"}, {"Id": "wrong", "Message": "x", "Subject": "x" * 100}]
    sent = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    assert [entry["Id"] for entry in sent["Successful"]] == ["right"]
    (failed,) = sent["Failed"]
    assert (failed["Id"], failed["Code"], failed["SenderFault"]) == ("wrong", "InvalidParameter", True)
    notification(sqs, url)
    assert nothing_in(sqs, url)


def test_a_fifo_topic_keeps_the_order_of_a_group(sqs, sns, subscribed):
    topic, url, _ = subscribed(True, {"ContentBasedDeduplication": "true"}, RawMessageDelivery="true")
    sequences = [sns.publish(TopicArn=topic, Message=str(n), MessageGroupId="g")["SequenceNumber"] for n in range(5)]
    assert sequences == sorted(sequences) and len(set(sequences)) == 5
    messages = receive(sqs, url, 5)
    assert [message["Body"] for message in messages] == list("01234")
    assert {message["Attributes"]["MessageGroupId"] for message in messages} == {"g"}


def test_a_fifo_topic_publishes_an_id_once(sqs, sns, subscribed):
    topic, url, _ = subscribed(True)
    given = {"TopicArn": topic, "MessageGroupId": "g", "MessageDeduplicationId": "one"}
    first = sns.publish(**given, Message="a")
    sns.publish(**given, Message="b")
    message = receive_one(sqs, url)
    envelope = json.loads(message["Body"])
    assert (envelope["Message"], envelope["MessageId"], envelope["SequenceNumber"]) == ("a", first["MessageId"], first["SequenceNumber"])
    assert message["Attributes"]["MessageDeduplicationId"] == "one"


def test_the_content_may_be_the_id_of_a_fifo_topic(sqs, sns, subscribed):
    topic, url, _ = subscribed(True, {"ContentBasedDeduplication": "true"}, RawMessageDelivery="true")
    for _ in range(2):
        sns.publish(TopicArn=topic, Message="same", MessageGroupId="g")
    assert receive_one(sqs, url)["Attributes"]["MessageDeduplicationId"] == hashlib.sha256(b"same").hexdigest()


def test_deduplication_of_a_topic_may_be_by_group(sqs, sns, subscribed):
    by_group = {"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}
    topic, url, _ = subscribed(True, {"FifoThroughputScope": "MessageGroup"}, by_group, RawMessageDelivery="true")
    for group in "ab":
        sns.publish(TopicArn=topic, Message=group, MessageGroupId=group, MessageDeduplicationId="one")
    assert {message["Body"] for message in receive(sqs, url, 2)} == {"a", "b"}


@pytest.mark.parametrize("given", [{"MessageDeduplicationId": "x"}, {"MessageGroupId": "g"}, {"MessageGroupId": "a b", "MessageDeduplicationId": "x"}], ids=str)
def test_a_fifo_topic_requires_a_group_and_an_id(sns, topic, given):
    with refused("InvalidParameter"):
        sns.publish(TopicArn=topic(True), Message="x", **given)


def test_a_fifo_topic_may_feed_a_standard_queue(sqs, sns, queue, topic):
    arn, url = topic(True), queue()
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=arn_of(sqs, url))
    sns.publish(TopicArn=arn, Message="x", MessageGroupId="g", MessageDeduplicationId="one")
    assert notification(sqs, url)["Message"] == "x"


def test_a_standard_topic_cannot_feed_a_fifo_queue(sqs, sns, queue, topic):
    with refused("InvalidParameter"):
        sns.subscribe(TopicArn=topic(), Protocol="sqs", Endpoint=arn_of(sqs, queue(True)))


def test_a_batch_for_a_fifo_topic_keeps_its_order(sqs, sns, subscribed):
    topic, url, _ = subscribed(True, RawMessageDelivery="true")
    entries = [{"Id": str(n), "Message": str(n), "MessageGroupId": "g", "MessageDeduplicationId": str(n // 2)} for n in range(6)]
    sent = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    assert len(sent["Successful"]) == 6 and len({entry["SequenceNumber"] for entry in sent["Successful"]}) == 3
    assert [message["Body"] for message in receive(sqs, url, 3)] == ["0", "2", "4"]
