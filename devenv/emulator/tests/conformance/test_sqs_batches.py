"""Batches: what succeeds and fails by entry, and what is refused as a whole."""

import hashlib

import pytest
from support import nothing_in, receive, receive_one, refused

PREFIX = "AWS.SimpleQueueService."


def entries(*ids):
    return [{"Id": name, "MessageBody": f"body {name}"} for name in ids]


def receipts(messages):
    return [{"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]} for number, message in enumerate(messages)]


def test_ten_messages_are_sent_at_once(sqs, queue):
    url = queue()
    sent = sqs.send_message_batch(QueueUrl=url, Entries=entries(*"abcdefghij"))
    assert "Failed" not in sent or not sent["Failed"]
    assert {entry["Id"] for entry in sent["Successful"]} == set("abcdefghij")
    for entry in sent["Successful"]:
        assert entry["MD5OfMessageBody"] == hashlib.md5(f"body {entry['Id']}".encode()).hexdigest()
    messages = receive(sqs, url, 10)
    assert {message["MessageId"] for message in messages} == {entry["MessageId"] for entry in sent["Successful"]}


def test_an_entry_has_attributes_and_a_delay(sqs, queue):
    url = queue()
    attribute = {"colour": {"DataType": "String", "StringValue": "red"}}
    given = [
        {"Id": "now", "MessageBody": "now", "MessageAttributes": attribute},
        {"Id": "later", "MessageBody": "later", "DelaySeconds": 2},
    ]
    sqs.send_message_batch(QueueUrl=url, Entries=given)
    message = receive_one(sqs, url)
    assert (message["Body"], message["MessageAttributes"]) == ("now", attribute)
    assert receive_one(sqs, url, wait=10)["Body"] == "later"


@pytest.mark.parametrize("operation", ["send", "delete", "visibility"])
@pytest.mark.parametrize(
    "ids, code",
    [
        ([], "EmptyBatchRequest"),
        (list("abcdefghijk"), "TooManyEntriesInBatchRequest"),
        (["same", "same"], "BatchEntryIdsNotDistinct"),
        (["not an id"], "InvalidBatchEntryId"),
        (["a" * 81], "InvalidBatchEntryId"),
    ],
    ids=["none", "eleven", "the same id", "a space", "81 letters"],
)
def test_a_batch_is_refused_as_a_whole(sqs, queue, operation, ids, code):
    url = queue()
    with refused(code, PREFIX + code):
        if operation == "send":
            sqs.send_message_batch(QueueUrl=url, Entries=entries(*ids))
        elif operation == "delete":
            sqs.delete_message_batch(QueueUrl=url, Entries=[{"Id": name, "ReceiptHandle": "x"} for name in ids])
        else:
            given = [{"Id": name, "ReceiptHandle": "x", "VisibilityTimeout": 1} for name in ids]
            sqs.change_message_visibility_batch(QueueUrl=url, Entries=given)
    assert nothing_in(sqs, url)


def test_the_messages_of_a_batch_share_a_mebibyte(sqs, queue):
    url = queue()
    fits = [{"Id": str(number), "MessageBody": "x" * (1048576 // 4)} for number in range(4)]
    assert len(sqs.send_message_batch(QueueUrl=url, Entries=fits)["Successful"]) == 4
    with refused("BatchRequestTooLong", PREFIX + "BatchRequestTooLong"):
        sqs.send_message_batch(QueueUrl=url, Entries=[*fits, {"Id": "one", "MessageBody": "x"}])


def test_a_wrong_entry_fails_alone(sqs, queue):
    url = queue()
    wrong = {"Id": "wrong", "MessageBody": "x", "MessageAttributes": {"a": {"DataType": "Text", "StringValue": "x"}}}
    sent = sqs.send_message_batch(QueueUrl=url, Entries=[*entries("right"), wrong])
    assert [entry["Id"] for entry in sent["Successful"]] == ["right"]
    (failed,) = sent["Failed"]
    assert (failed["Id"], failed["Code"], failed["SenderFault"]) == ("wrong", "InvalidParameterValue", True)
    assert failed["Message"]
    assert receive_one(sqs, url)["Body"] == "body right"


def test_messages_are_deleted_by_a_batch(sqs, queue):
    url = queue(VisibilityTimeout="1")
    sqs.send_message_batch(QueueUrl=url, Entries=entries(*"abc"))
    given = receipts(receive(sqs, url, 3, VisibilityTimeout=30))
    given.append({"Id": "wrong", "ReceiptHandle": "nonsense"})
    deleted = sqs.delete_message_batch(QueueUrl=url, Entries=given)
    assert {entry["Id"] for entry in deleted["Successful"]} == {"0", "1", "2"}
    (failed,) = deleted["Failed"]
    assert (failed["Id"], failed["Code"], failed["SenderFault"]) == ("wrong", "ReceiptHandleIsInvalid", True)
    assert "Messages" not in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)


def test_visibility_changes_by_a_batch(sqs, queue):
    url = queue()
    sqs.send_message_batch(QueueUrl=url, Entries=entries(*"ab"))
    given = [{**entry, "VisibilityTimeout": 0} for entry in receipts(receive(sqs, url, 2))]
    given.append({"Id": "wrong", "ReceiptHandle": "nonsense", "VisibilityTimeout": 0})
    changed = sqs.change_message_visibility_batch(QueueUrl=url, Entries=given)
    assert {entry["Id"] for entry in changed["Successful"]} == {"0", "1"}
    assert [(entry["Id"], entry["Code"]) for entry in changed["Failed"]] == [("wrong", "ReceiptHandleIsInvalid")]
    assert len(receive(sqs, url, 2)) == 2
