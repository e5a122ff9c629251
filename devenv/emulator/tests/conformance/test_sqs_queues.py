"""Queues: names, attributes, tags, lists."""

import pytest
from conftest import REGION, arn_of
from support import NO_QUEUE, attributes, eventually, nothing_in, receive_one, refused

DEFAULTS = {
    "DelaySeconds": "0",
    "MaximumMessageSize": "1048576",
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "VisibilityTimeout": "30",
}


def test_a_new_queue_has_the_documented_defaults(sqs, queue):
    given = attributes(sqs, queue())
    assert {name: given[name] for name in DEFAULTS} == DEFAULTS
    counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed", "ApproximateNumberOfMessagesNotVisible"]
    assert [given[name] for name in counts] == ["0", "0", "0"]
    assert int(given["CreatedTimestamp"]) <= int(given["LastModifiedTimestamp"])
    assert "FifoQueue" not in given and "RedrivePolicy" not in given


def test_the_arn_names_region_account_and_queue(sqs, name):
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    parts = arn_of(sqs, url).split(":")
    assert parts[:4] == ["arn", "aws", "sqs", REGION] and parts[5] == name
    assert len(parts[4]) == 12 and parts[4].isdigit()
    assert url.endswith(f"/{parts[4]}/{name}")


def test_the_url_leads_to_the_emulator(sqs, queue):
    assert queue().startswith(sqs.meta.endpoint_url)


def test_creating_again_with_the_same_attributes_gives_the_same_queue(sqs, name):
    first = sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "7"})
    again = sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "7"})
    assert first["QueueUrl"] == again["QueueUrl"] == sqs.create_queue(QueueName=name)["QueueUrl"]


def test_creating_again_with_other_attributes_is_refused(sqs, name):
    sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "7"})
    with refused("QueueAlreadyExists", "QueueNameExists"):
        sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "8"})


@pytest.mark.parametrize("bad", ["", "a" * 81, "with space", "dot.ted", "slash/ed", "ümlaut"])
def test_a_queue_name_outside_of_the_alphabet_is_refused(sqs, bad):
    with refused("InvalidParameterValue"):
        sqs.create_queue(QueueName=bad)


def test_a_queue_name_may_have_80_letters(sqs, name):
    longest = name.ljust(80, "_")
    assert sqs.create_queue(QueueName=longest)["QueueUrl"].endswith(longest)


@pytest.mark.parametrize(
    "attribute, lowest, highest",
    [
        ("DelaySeconds", 0, 900),
        ("MaximumMessageSize", 1024, 1048576),
        ("MessageRetentionPeriod", 60, 1209600),
        ("ReceiveMessageWaitTimeSeconds", 0, 20),
        ("VisibilityTimeout", 0, 43200),
    ],
)
def test_an_attribute_has_a_range(sqs, queue, attribute, lowest, highest):
    url = queue()
    for value in (lowest, highest):
        sqs.set_queue_attributes(QueueUrl=url, Attributes={attribute: str(value)})
        assert attributes(sqs, url, attribute) == {attribute: str(value)}
    for value in (lowest - 1, highest + 1, "many"):
        with refused("InvalidAttributeValue"):
            sqs.set_queue_attributes(QueueUrl=url, Attributes={attribute: str(value)})


def test_an_unknown_attribute_is_refused(sqs, queue, name):
    url = queue()
    with refused("InvalidAttributeName"):
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Colour": "red"})
    with refused("InvalidAttributeName"):
        sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Colour"])
    with refused("InvalidAttributeName"):
        sqs.create_queue(QueueName=name, Attributes={"Colour": "red"})


def test_a_computed_attribute_cannot_be_set(sqs, queue):
    with refused("InvalidAttributeName"):
        sqs.set_queue_attributes(QueueUrl=queue(), Attributes={"QueueArn": "arn:aws:sqs:eu-west-1:000000000000:other"})


def test_only_the_attributes_asked_for_are_returned(sqs, queue):
    url = queue(VisibilityTimeout="7")
    assert attributes(sqs, url, "VisibilityTimeout", "DelaySeconds") == {"VisibilityTimeout": "7", "DelaySeconds": "0"}
    assert not sqs.get_queue_attributes(QueueUrl=url).get("Attributes")


def test_a_policy_is_kept(sqs, queue):
    policy = '{"Version":"2012-10-17","Statement":[]}'
    url = queue(Policy=policy)
    assert attributes(sqs, url, "Policy") == {"Policy": policy}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    assert "Policy" not in attributes(sqs, url)


def test_the_url_of_a_queue(sqs, name):
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    assert sqs.get_queue_url(QueueName=name)["QueueUrl"] == url
    with refused(*NO_QUEUE):
        sqs.get_queue_url(QueueName=f"{name}-absent")


def test_an_absent_queue_is_its_own_exception(sqs, queue):
    absent = f"{queue()}-absent"
    for call in (
        lambda: sqs.send_message(QueueUrl=absent, MessageBody="x"),
        lambda: sqs.receive_message(QueueUrl=absent),
        lambda: sqs.delete_message(QueueUrl=absent, ReceiptHandle="x"),
        lambda: sqs.get_queue_attributes(QueueUrl=absent, AttributeNames=["All"]),
        lambda: sqs.set_queue_attributes(QueueUrl=absent, Attributes={"DelaySeconds": "1"}),
        lambda: sqs.list_queue_tags(QueueUrl=absent),
        lambda: sqs.purge_queue(QueueUrl=absent),
        lambda: sqs.delete_queue(QueueUrl=absent),
    ):
        with pytest.raises(sqs.exceptions.QueueDoesNotExist):
            call()


def test_a_deleted_queue_is_gone(sqs, name):
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="x")
    sqs.delete_queue(QueueUrl=url)
    with refused(*NO_QUEUE):
        sqs.receive_message(QueueUrl=url)
    assert url not in sqs.list_queues(QueueNamePrefix=name).get("QueueUrls", [])


def test_queues_are_listed_by_prefix(sqs, name):
    urls = {sqs.create_queue(QueueName=f"{name}-{number}")["QueueUrl"] for number in range(3)}
    assert set(sqs.list_queues(QueueNamePrefix=f"{name}-")["QueueUrls"]) == urls
    assert not sqs.list_queues(QueueNamePrefix=f"{name}-absent").get("QueueUrls")


def test_queues_are_listed_by_pages(sqs, name):
    urls = {sqs.create_queue(QueueName=f"{name}-{number}")["QueueUrl"] for number in range(5)}
    first = sqs.list_queues(QueueNamePrefix=name, MaxResults=2)
    assert len(first["QueueUrls"]) == 2 and first["NextToken"]
    pages = sqs.get_paginator("list_queues").paginate(QueueNamePrefix=name, PaginationConfig={"PageSize": 2})
    found = [page.get("QueueUrls", []) for page in pages]
    assert [len(page) for page in found if page] == [2, 2, 1]
    assert {url for page in found for url in page} == urls


@pytest.mark.parametrize("size", [0, 1001])
def test_a_page_of_queues_has_a_limit(sqs, size):
    with refused("InvalidParameterValue"):
        sqs.list_queues(MaxResults=size)


def test_tags_are_added_replaced_and_removed(sqs, name):
    url = sqs.create_queue(QueueName=name, tags={"team": "orders"})["QueueUrl"]
    sqs.tag_queue(QueueUrl=url, Tags={"team": "stock", "stage": "test"})
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"team": "stock", "stage": "test"}
    sqs.untag_queue(QueueUrl=url, TagKeys=["team", "absent"])
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"stage": "test"}
    sqs.untag_queue(QueueUrl=url, TagKeys=["stage"])
    assert not sqs.list_queue_tags(QueueUrl=url).get("Tags")


def test_a_purge_empties_the_queue(sqs, queue):
    url = queue(VisibilityTimeout="1")
    for body in ("waiting", "in flight"):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    sqs.send_message(QueueUrl=url, MessageBody="delayed", DelaySeconds=1)
    receive_one(sqs, url, MaxNumberOfMessages=1)
    sqs.purge_queue(QueueUrl=url)
    counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed", "ApproximateNumberOfMessagesNotVisible"]
    eventually(lambda: set(attributes(sqs, url, *counts).values()) == {"0"})
    assert "Messages" not in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=2)


def test_a_change_of_attributes_moves_the_time_of_modification(sqs, queue):
    url = queue()
    created = int(attributes(sqs, url, "CreatedTimestamp")["CreatedTimestamp"])

    def modified():
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "9"})
        return int(attributes(sqs, url, "LastModifiedTimestamp")["LastModifiedTimestamp"]) > created

    eventually(modified)


def test_a_changed_default_applies_to_the_next_receive(sqs, queue):
    url = queue()
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "0"})
    sqs.send_message(QueueUrl=url, MessageBody="again")
    assert receive_one(sqs, url)["Body"] == receive_one(sqs, url)["Body"] == "again"
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "30"})
    receive_one(sqs, url)
    assert nothing_in(sqs, url)
