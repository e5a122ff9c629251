"""Both protocols of SQS, byte by byte: JSON 1.0, and the older one with forms and XML."""

import http.client
import json
import urllib.parse
import xml.etree.ElementTree as ElementTree

import pytest
from conftest import ENDPOINT

NAMESPACE = "{http://queue.amazonaws.com/doc/2012-11-05/}"
SIGNED = "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/sqs/aws4_request, SignedHeaders=host, Signature=0"


def post(body, headers, path="/"):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(ENDPOINT).netloc, timeout=30)
    connection.request("POST", path, body, {"Authorization": SIGNED, **headers})
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read().decode()


def as_json(operation, target="AmazonSQS", **parameters):
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"{target}.{operation}"}
    return post(json.dumps(parameters), headers)


def as_form(action, path="/", **parameters):
    form = urllib.parse.urlencode({"Action": action, "Version": "2012-11-05", **parameters})
    status, headers, body = post(form, {"Content-Type": "application/x-www-form-urlencoded"}, path)
    return status, headers, ElementTree.fromstring(body)


def text(element, path):
    return element.findtext("/".join(NAMESPACE + part for part in path.split("/")))


def test_json_answers_json(queue):
    status, headers, body = as_json("SendMessage", QueueUrl=queue(), MessageBody="x")
    assert status == 200 and headers["Content-Type"].startswith("application/x-amz-json-1.0")
    assert set(json.loads(body)) == {"MD5OfMessageBody", "MessageId"}
    assert headers["x-amzn-RequestId"]


def test_a_json_error_has_the_code_of_both_protocols(queue):
    status, headers, body = as_json("SendMessage", QueueUrl=f"{queue()}-absent", MessageBody="x")
    assert status == 400
    assert json.loads(body)["__type"].rsplit("#")[-1] == "QueueDoesNotExist"
    assert headers["x-amzn-query-error"] == "AWS.SimpleQueueService.NonExistentQueue;Sender"


def test_a_missing_parameter_is_named(queue):
    status, _, body = as_json("SendMessage", QueueUrl=queue())
    assert status == 400 and "MessageBody" in body


def test_an_unknown_operation_is_refused():
    status, _, body = as_json("PaintQueue")
    assert status in (400, 404) and json.loads(body)["__type"]


def test_what_is_no_json_is_refused():
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.ListQueues"}
    status, _, body = post("{", headers)
    assert status == 400 and json.loads(body)["__type"]


def test_a_form_answers_xml(sqs, queue):
    url = queue()
    status, headers, answer = as_form("SendMessage", QueueUrl=url, MessageBody="<&>")
    assert status == 200 and "xml" in headers["Content-Type"]
    assert answer.tag == f"{NAMESPACE}SendMessageResponse"
    assert text(answer, "SendMessageResult/MessageId") and text(answer, "ResponseMetadata/RequestId")
    given = {"QueueUrl": url, "MaxNumberOfMessages": "1", "AttributeName.1": "All"}
    _, _, answer = as_form("ReceiveMessage", **given)
    assert text(answer, "ReceiveMessageResult/Message/Body") == "<&>"
    names = answer.findall(f".//{NAMESPACE}Attribute/{NAMESPACE}Name")
    assert "SentTimestamp" in {name.text for name in names}


def test_a_form_may_be_sent_to_the_url_of_the_queue(queue):
    path = urllib.parse.urlsplit(queue()).path
    status, _, answer = as_form("SendMessage", path, MessageBody="x")
    assert status == 200 and text(answer, "SendMessageResult/MessageId")


def test_the_lists_and_maps_of_a_form(sqs, name):
    given = {
        "QueueName": name,
        "Attribute.1.Name": "VisibilityTimeout",
        "Attribute.1.Value": "7",
        "Attribute.2.Name": "DelaySeconds",
        "Attribute.2.Value": "0",
    }
    status, _, answer = as_form("CreateQueue", **given)
    assert status == 200
    url = text(answer, "CreateQueueResult/QueueUrl")
    assert sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"] == {"VisibilityTimeout": "7"}
    given = {
        "QueueUrl": url,
        "SendMessageBatchRequestEntry.1.Id": "a",
        "SendMessageBatchRequestEntry.1.MessageBody": "one",
        "SendMessageBatchRequestEntry.1.MessageAttribute.1.Name": "colour",
        "SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.DataType": "String",
        "SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.StringValue": "red",
    }
    _, _, answer = as_form("SendMessageBatch", **given)
    assert text(answer, "SendMessageBatchResult/SendMessageBatchResultEntry/Id") == "a"
    (message,) = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    assert message["MessageAttributes"] == {"colour": {"DataType": "String", "StringValue": "red"}}
    sqs.delete_queue(QueueUrl=url)


def test_a_form_error_has_a_type_code_and_message(queue):
    status, _, answer = as_form("SendMessage", QueueUrl=f"{queue()}-absent", MessageBody="x")
    assert status == 400 and answer.tag.endswith("ErrorResponse")
    found = {element.tag.rsplit("}")[-1]: element.text for element in answer.iter()}
    assert (found["Type"], found["Code"]) == ("Sender", "AWS.SimpleQueueService.NonExistentQueue")
    assert found["Message"] and found["RequestId"]


@pytest.mark.parametrize("action", ["PaintQueue", ""])
def test_an_unknown_action_is_refused(action):
    status, _, answer = as_form(action)
    assert 400 <= status < 500 and answer.tag.endswith("ErrorResponse")


def test_binary_attributes_are_base64_in_a_form(sqs, queue):
    url = queue()
    given = {
        "QueueUrl": url,
        "MessageBody": "x",
        "MessageAttribute.1.Name": "raw",
        "MessageAttribute.1.Value.DataType": "Binary",
        "MessageAttribute.1.Value.BinaryValue": "AP+A",
    }
    assert as_form("SendMessage", **given)[0] == 200
    (message,) = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    assert message["MessageAttributes"]["raw"]["BinaryValue"] == b"\x00\xff\x80"
