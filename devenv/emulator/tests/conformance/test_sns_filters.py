"""Filter policies, by the examples of the SNS Developer Guide."""

import json

import pytest
from conftest import arn_of
from support import notification, nothing_in, refused


def text(value):
    return {"DataType": "String", "StringValue": value}


def number(value):
    return {"DataType": "Number", "StringValue": value}


def array(*values):
    return {"DataType": "String.Array", "StringValue": json.dumps(values)}


def delivered(sqs, sns, subscribed, scope, policy, **message):
    """Publishes a message and then one for an unfiltered queue, which shows that the first was decided about."""
    topic, url, _ = subscribed(FilterPolicy=json.dumps(policy), FilterPolicyScope=scope)
    sns.publish(TopicArn=topic, **message)
    return not nothing_in(sqs, url)


BY_ATTRIBUTES = [
    ("a text", ["rugby", "tennis"], text("tennis"), True),
    ("another text", ["rugby", "tennis"], text("golf"), False),
    ("another case", ["rugby"], text("Rugby"), False),
    ("an element of an array", ["rugby"], array("golf", "rugby"), True),
    ("no element of an array", ["rugby"], array("golf"), False),
    ("a binary value", ["rugby"], {"DataType": "Binary", "BinaryValue": b"rugby"}, False),
    ("a prefix", [{"prefix": "bas"}], text("baseball"), True),
    ("no prefix", [{"prefix": "bas"}], text("rugby"), False),
    ("a suffix", [{"suffix": "ball"}], text("baseball"), True),
    ("no suffix", [{"suffix": "ball"}], text("rugby"), False),
    ("any case", [{"equals-ignore-case": "TENNIS"}], text("tennis"), True),
    ("a wildcard", [{"wildcard": "b*ball"}], text("baseball"), True),
    ("no wildcard", [{"wildcard": "b*ball"}], text("football"), False),
    ("an address of a block", [{"cidr": "10.0.0.0/24"}], text("10.0.0.200"), True),
    ("an address outside of a block", [{"cidr": "10.0.0.0/24"}], text("10.0.1.200"), False),
    ("anything but", [{"anything-but": ["rugby", "tennis"]}], text("golf"), True),
    ("the exception of anything but", [{"anything-but": ["rugby", "tennis"]}], text("tennis"), False),
    ("an array with another value than anything but", [{"anything-but": ["rugby"]}], array("rugby", "golf"), True),
    ("anything but a prefix", [{"anything-but": {"prefix": "bas"}}], text("rugby"), True),
    ("the prefix of anything but", [{"anything-but": {"prefix": "bas"}}], text("baseball"), False),
    ("the suffix of anything but", [{"anything-but": {"suffix": "ball"}}], text("baseball"), False),
    ("the wildcard of anything but", [{"anything-but": {"wildcard": "*ball"}}], text("baseball"), False),
    ("a number", [301.5], number("301.50"), True),
    ("a number as a text", [301.5], text("301.5"), False),
    ("a text as a number", ["301.5"], number("301.5"), False),
    ("an exponent", [301.5], number("3.015e2"), True),
    ("a number in an array", [3], array(1, 3), True),
    ("a range", [{"numeric": [">", 0, "<=", 150]}], number("150"), True),
    ("the open end of a range", [{"numeric": [">", 0, "<=", 150]}], number("0"), False),
    ("an equal number", [{"numeric": ["=", 5]}], number("5.0"), True),
    ("anything but a number", [{"anything-but": [100, 500]}], number("101"), True),
    ("the number of anything but", [{"anything-but": [100, 500]}], number("100"), False),
    ("a keyword in an array", [True], array(True), True),
    ("null in an array", [None], array(None), True),
    ("presence", [{"exists": True}], text("x"), True),
    ("absence", [{"exists": False}], text("x"), False),
    ("one of several rules", ["golf", {"prefix": "ten"}], text("tennis"), True),
]


@pytest.mark.parametrize("policy, value, accepted", [case[1:] for case in BY_ATTRIBUTES], ids=[case[0] for case in BY_ATTRIBUTES])
def test_a_filter_on_attributes(sqs, sns, subscribed, policy, value, accepted):
    given = {"key": value, "other": text("x")}
    assert delivered(sqs, sns, subscribed, "MessageAttributes", {"key": policy}, Message="x", MessageAttributes=given) == accepted


ABSENT = [
    ("presence of an absent key", {"key": [{"exists": True}]}, {"other": text("x")}, False),
    ("absence of an absent key", {"key": [{"exists": False}]}, {"other": text("x")}, True),
    ("absence among no attributes", {"key": [{"exists": False}]}, {}, False),
    ("anything but, of an absent key", {"key": [{"anything-but": "a"}]}, {"other": text("x")}, False),
    ("two keys", {"a": ["1"], "b": ["2"]}, {"a": text("1"), "b": text("2")}, True),
    ("one of two keys", {"a": ["1"], "b": ["2"]}, {"a": text("1")}, False),
    ("one alternative", {"$or": [{"a": ["1"]}, {"b": ["2"]}]}, {"b": text("2")}, True),
    ("no alternative", {"$or": [{"a": ["1"]}, {"b": ["2"]}]}, {"b": text("1")}, False),
    ("an alternative without the other key", {"c": ["3"], "$or": [{"a": ["1"]}, {"b": ["2"]}]}, {"a": text("1")}, False),
]


@pytest.mark.parametrize("policy, given, accepted", [case[1:] for case in ABSENT], ids=[case[0] for case in ABSENT])
def test_a_filter_on_several_attributes(sqs, sns, subscribed, policy, given, accepted):
    assert delivered(sqs, sns, subscribed, "MessageAttributes", policy, Message="x", MessageAttributes=given) == accepted


BY_BODY = [
    ("a nested key", {"order": {"store": ["a"]}}, {"order": {"store": "a"}}, True),
    ("another nested value", {"order": {"store": ["a"]}}, {"order": {"store": "b"}}, False),
    ("a text in an array", {"stores": ["a"]}, {"stores": ["b", "a"]}, True),
    ("an object in an array", {"lines": {"id": ["a"]}}, {"lines": [{"id": "b"}, {"id": "a"}]}, True),
    ("two keys of different objects", {"lines": {"id": ["a"], "n": [2]}}, {"lines": [{"id": "a", "n": 1}, {"id": "b", "n": 2}]}, False),
    ("a number in a body", {"total": [{"numeric": [">=", 10]}]}, {"total": 10.0}, True),
    ("a keyword in a body", {"paid": [True]}, {"paid": True}, True),
    ("null in a body", {"paid": [None]}, {"paid": None}, True),
    ("presence in a body", {"order": {"store": [{"exists": True}]}}, {"order": {"store": "x"}}, True),
    ("presence of an object", {"order": [{"exists": True}]}, {"order": {"store": "x"}}, False),
    ("absence in a body", {"order": {"store": [{"exists": False}]}}, {"order": {"other": 1}}, True),
    ("alternatives in a body", {"order": {"$or": [{"a": ["1"]}, {"b": ["2"]}]}}, {"order": {"b": "2"}}, True),
]


@pytest.mark.parametrize("policy, body, accepted", [case[1:] for case in BY_BODY], ids=[case[0] for case in BY_BODY])
def test_a_filter_on_the_body(sqs, sns, subscribed, policy, body, accepted):
    assert delivered(sqs, sns, subscribed, "MessageBody", policy, Message=json.dumps(body)) == accepted


@pytest.mark.parametrize("body", ["no JSON", "[]", "1"])
def test_a_body_that_is_no_object_passes_no_filter(sqs, sns, subscribed, body):
    assert not delivered(sqs, sns, subscribed, "MessageBody", {"a": [{"anything-but": "b"}]}, Message=body)


def test_queues_get_what_their_filters_accept(sqs, sns, queue, topic):
    arn, urls = topic(), {}
    for kind in ("confirmed", "rejected"):
        urls[kind] = queue()
        policy = {"FilterPolicy": json.dumps({"type": [f"order.{kind}"]})}
        sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=arn_of(sqs, urls[kind]), Attributes=policy)
    for kind in urls:
        sns.publish(TopicArn=arn, Message=kind, MessageAttributes={"type": text(f"order.{kind}")})
    for kind, url in urls.items():
        assert notification(sqs, url)["Message"] == kind
        assert nothing_in(sqs, url)


def test_a_changed_filter_applies_to_the_next_message(sqs, sns, subscribed):
    topic, url, subscription = subscribed(FilterPolicy='{"a": ["1"]}')
    sns.set_subscription_attributes(SubscriptionArn=subscription, AttributeName="FilterPolicy", AttributeValue='{"a": ["2"]}')
    for value in "12":
        sns.publish(TopicArn=topic, Message=value, MessageAttributes={"a": text(value)})
    assert notification(sqs, url)["Message"] == "2"
    assert nothing_in(sqs, url)


WRONG = [
    ("no JSON", "{"),
    ("no object", "[]"),
    ("no array", {"a": "x"}),
    ("an empty array", {"a": []}),
    ("an array in an array", {"a": [["x"]]}),
    ("an unknown operator", {"a": [{"regex": "x"}]}),
    ("a prefix that is no text", {"a": [{"prefix": 1}]}),
    ("presence that is no keyword", {"a": [{"exists": "yes"}]}),
    ("an unknown comparison", {"a": [{"numeric": ["!=", 1]}]}),
    ("a comparison with a text", {"a": [{"numeric": ["<", "1"]}]}),
    ("a comparison with nothing", {"a": [{"numeric": ["<"]}]}),
    ("an empty range", {"a": [{"numeric": [">", 5, "<", 1]}]}),
    ("mixed exceptions", {"a": [{"anything-but": ["x", 1]}]}),
    ("an unknown exception", {"a": [{"anything-but": {"regex": "x"}}]}),
    ("a nested key", {"a": {"b": ["x"]}}),
    ("six keys", {name: ["x"] for name in "abcdef"}),
    ("151 combinations", {"a": [str(n) for n in range(151)]}),
    ("more combinations", {"a": [str(n) for n in range(13)], "b": [str(n) for n in range(12)]}),
    ("consecutive wildcards", {"a": [{"wildcard": "a**b"}]}),
]


@pytest.mark.parametrize("policy", [case[1] for case in WRONG], ids=[case[0] for case in WRONG])
def test_a_wrong_filter_is_refused(sns, subscribed, policy):
    _, _, subscription = subscribed()
    policy = policy if isinstance(policy, str) else json.dumps(policy)
    with refused("InvalidParameter", saying="FilterPolicy"):
        sns.set_subscription_attributes(SubscriptionArn=subscription, AttributeName="FilterPolicy", AttributeValue=policy)


def test_150_combinations_are_allowed(sns, subscribed):
    _, _, subscription = subscribed()
    policy = {"a": [str(n) for n in range(15)], "b": [str(n) for n in range(10)]}
    sns.set_subscription_attributes(SubscriptionArn=subscription, AttributeName="FilterPolicy", AttributeValue=json.dumps(policy))
