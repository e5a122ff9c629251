"""Subscriptions: endpoints, attributes, lists, HTTP endpoints with their consent."""

import http.server
import json
import queue as queues
import threading
import urllib.request

import pytest
from conftest import arn_of
from support import eventually, notification, nothing_in, receive_one, refused


def subscription_attributes(sns, arn):
    return sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]


def test_a_queue_is_subscribed_at_once(sqs, sns, subscribed):
    topic, url, subscription = subscribed()
    assert subscription.rpartition(":")[0] == topic
    given = subscription_attributes(sns, subscription)
    expected = {
        "SubscriptionArn": subscription,
        "TopicArn": topic,
        "Protocol": "sqs",
        "Endpoint": arn_of(sqs, url),
        "PendingConfirmation": "false",
        "ConfirmationWasAuthenticated": "true",
        "RawMessageDelivery": "false",
        "Owner": topic.split(":")[4],
    }
    assert {name: given.get(name) for name in expected} == expected
    assert "FilterPolicy" not in given
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["SubscriptionsConfirmed"] == "1"


def test_subscribing_again_gives_the_same_subscription(sqs, sns, subscribed):
    topic, url, subscription = subscribed(RawMessageDelivery="true")
    again = {"TopicArn": topic, "Protocol": "sqs", "Endpoint": arn_of(sqs, url)}
    assert sns.subscribe(**again)["SubscriptionArn"] == subscription
    assert sns.subscribe(**again, Attributes={"RawMessageDelivery": "true"})["SubscriptionArn"] == subscription
    with refused("InvalidParameter"):
        sns.subscribe(**again, Attributes={"RawMessageDelivery": "false"})


@pytest.mark.parametrize(
    "protocol, endpoint",
    [("pigeon", "x"), ("sqs", "no arn"), ("sqs", "arn:aws:sns:eu-west-1:000000000000:t"), ("http", "127.0.0.1"), ("http", "https://127.0.0.1/")],
)
def test_a_wrong_endpoint_is_refused(sns, topic, protocol, endpoint):
    with refused("InvalidParameter"):
        sns.subscribe(TopicArn=topic(), Protocol=protocol, Endpoint=endpoint)


@pytest.mark.parametrize(
    "attribute, value",
    [
        ("Colour", "red"),
        ("RawMessageDelivery", "perhaps"),
        ("FilterPolicyScope", "Everything"),
        ("FilterPolicy", "no JSON"),
        ("RedrivePolicy", "no JSON"),
        ("RedrivePolicy", '{"deadLetterTargetArn": "no arn"}'),
    ],
)
def test_a_wrong_attribute_of_a_subscription_is_refused(sqs, sns, topic, queue, attribute, value):
    given = {"TopicArn": topic(), "Protocol": "sqs", "Endpoint": arn_of(sqs, queue())}
    with refused("InvalidParameter"):
        sns.subscribe(**given, Attributes={attribute: value})
    arn = sns.subscribe(**given)["SubscriptionArn"]
    with refused("InvalidParameter"):
        sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName=attribute, AttributeValue=value)


def test_the_attributes_of_a_subscription_change(sqs, sns, subscribed):
    topic, url, subscription = subscribed()

    def put(name, value):
        sns.set_subscription_attributes(SubscriptionArn=subscription, AttributeName=name, AttributeValue=value)

    put("RawMessageDelivery", "true")
    put("FilterPolicy", '{"type": ["a"]}')
    given = subscription_attributes(sns, subscription)
    assert given["RawMessageDelivery"] == "true" and json.loads(given["FilterPolicy"]) == {"type": ["a"]}
    assert given["FilterPolicyScope"] == "MessageAttributes"
    put("FilterPolicy", "{}")
    sns.publish(TopicArn=topic, Message="unfiltered")
    assert receive_one(sqs, url)["Body"] == "unfiltered"


def test_an_ended_subscription_gets_nothing(sqs, sns, subscribed):
    topic, url, subscription = subscribed()
    sns.unsubscribe(SubscriptionArn=subscription)
    sns.publish(TopicArn=topic, Message="x")
    assert nothing_in(sqs, url)
    with pytest.raises(sns.exceptions.NotFoundException):
        subscription_attributes(sns, subscription)
    given = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert (given["SubscriptionsConfirmed"], given["SubscriptionsDeleted"]) == ("0", "1")


def test_ending_a_subscription_again_is_no_error(sns, subscribed):
    _, _, subscription = subscribed()
    sns.unsubscribe(SubscriptionArn=subscription)
    sns.unsubscribe(SubscriptionArn=subscription)


def test_what_is_no_subscription_is_refused(sns):
    with refused("InvalidParameter"):
        sns.unsubscribe(SubscriptionArn="nonsense")


def test_an_absent_subscription_is_its_own_exception(sns, topic):
    absent = f"{topic()}:00000000-0000-0000-0000-000000000000"
    with pytest.raises(sns.exceptions.NotFoundException):
        subscription_attributes(sns, absent)
    with pytest.raises(sns.exceptions.NotFoundException):
        sns.set_subscription_attributes(SubscriptionArn=absent, AttributeName="RawMessageDelivery", AttributeValue="true")


def test_subscriptions_are_listed(sqs, sns, subscribed):
    topic, url, subscription = subscribed()
    (listed,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert listed == {
        "SubscriptionArn": subscription,
        "Owner": topic.split(":")[4],
        "Protocol": "sqs",
        "Endpoint": arn_of(sqs, url),
        "TopicArn": topic,
    }
    pages = sns.get_paginator("list_subscriptions").paginate()
    assert listed in [found for page in pages for found in page["Subscriptions"]]


def test_subscriptions_are_listed_by_pages(sns, topic):
    arn = topic()
    for number in range(101):
        sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=f"arn:aws:sqs:eu-west-1:{arn.split(':')[4]}:q{number}")
    first = sns.list_subscriptions_by_topic(TopicArn=arn)
    assert len(first["Subscriptions"]) == 100
    rest = sns.list_subscriptions_by_topic(TopicArn=arn, NextToken=first["NextToken"])
    assert len(rest["Subscriptions"]) == 1 and "NextToken" not in rest


@pytest.fixture
def endpoint():
    """An HTTP server that notes requests: `endpoint.url`, `endpoint.next()`, and `endpoint.answers` for other statuses than 200."""
    requests = queues.Queue()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            requests.put((dict(self.headers.items()), body))
            self.send_response(Endpoint.answers.pop(0) if Endpoint.answers else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    class Endpoint:
        url = f"http://127.0.0.1:{server.server_port}/hook"
        answers = []

        @staticmethod
        def next():
            headers, body = requests.get(timeout=15)
            return {name.lower(): value for name, value in headers.items()}, body

    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Endpoint
    server.shutdown()


def test_an_http_endpoint_has_to_confirm(sns, topic, endpoint):
    arn = topic()
    assert sns.subscribe(TopicArn=arn, Protocol="http", Endpoint=endpoint.url)["SubscriptionArn"] == "pending confirmation"
    headers, body = endpoint.next()
    asked = json.loads(body)
    assert headers["x-amz-sns-message-type"] == asked["Type"] == "SubscriptionConfirmation"
    assert headers["x-amz-sns-topic-arn"] == asked["TopicArn"] == arn
    assert {"MessageId", "Token", "Message", "SubscribeURL", "Timestamp", "SignatureVersion"} <= set(asked)
    (listed,) = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    assert listed["SubscriptionArn"] == "PendingConfirmation"
    confirmed = sns.confirm_subscription(TopicArn=arn, Token=asked["Token"])["SubscriptionArn"]
    assert subscription_attributes(sns, confirmed)["PendingConfirmation"] == "false"
    sns.publish(TopicArn=arn, Message="hello", Subject="greeting")
    headers, body = endpoint.next()
    assert headers["x-amz-sns-message-type"] == "Notification"
    assert headers["x-amz-sns-subscription-arn"] == confirmed
    assert (json.loads(body)["Message"], json.loads(body)["Subject"]) == ("hello", "greeting")


def test_the_arn_of_a_pending_subscription_can_be_asked_for(sns, topic, endpoint):
    given = {"TopicArn": topic(), "Protocol": "http", "Endpoint": endpoint.url, "ReturnSubscriptionArn": True}
    arn = sns.subscribe(**given)["SubscriptionArn"]
    assert subscription_attributes(sns, arn)["PendingConfirmation"] == "true"
    assert sns.get_topic_attributes(TopicArn=given["TopicArn"])["Attributes"]["SubscriptionsPending"] == "1"


def test_a_subscription_is_confirmed_by_its_url(sns, topic, endpoint):
    arn = topic()
    sns.subscribe(TopicArn=arn, Protocol="http", Endpoint=endpoint.url)
    url = json.loads(endpoint.next()[1])["SubscribeURL"]
    with urllib.request.urlopen(url, timeout=10) as answer:
        assert answer.status == 200
    (listed,) = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    assert listed["SubscriptionArn"].startswith(arn)


def test_a_wrong_token_is_refused(sns, topic):
    with refused("InvalidParameter"):
        sns.confirm_subscription(TopicArn=topic(), Token="nonsense")


@pytest.fixture
def confirmed(sns, topic, endpoint):
    def create(**attributes):
        arn = topic()
        sns.subscribe(TopicArn=arn, Protocol="http", Endpoint=endpoint.url, Attributes=attributes)
        token = json.loads(endpoint.next()[1])["Token"]
        return arn, sns.confirm_subscription(TopicArn=arn, Token=token)["SubscriptionArn"]

    return create


def test_a_raw_delivery_to_an_http_endpoint(sns, endpoint, confirmed):
    arn, _ = confirmed(RawMessageDelivery="true")
    sns.publish(TopicArn=arn, Message="plain")
    headers, body = endpoint.next()
    assert body == "plain" and headers["x-amz-sns-rawdelivery"] == "true"


def test_an_unanswered_http_delivery_is_repeated(sns, endpoint, confirmed):
    arn, _ = confirmed(RawMessageDelivery="true")
    endpoint.answers[:] = [503]
    sns.publish(TopicArn=arn, Message="again")
    (first, body), (second, again) = endpoint.next(), endpoint.next()
    assert body == again == "again"
    assert first["x-amz-sns-message-id"] == second["x-amz-sns-message-id"]


def test_a_refused_http_delivery_is_a_dead_letter(sqs, sns, queue, endpoint, confirmed):
    dead = queue()
    arn, _ = confirmed(RawMessageDelivery="true", RedrivePolicy=json.dumps({"deadLetterTargetArn": arn_of(sqs, dead)}))
    endpoint.answers[:] = [403]
    sns.publish(TopicArn=arn, Message="not wanted")
    endpoint.next()
    assert receive_one(sqs, dead)["Body"] == "not wanted"


def test_a_message_for_a_deleted_queue_is_a_dead_letter(sqs, sns, queue, subscribed):
    dead = queue()
    topic, url, _ = subscribed(RedrivePolicy=json.dumps({"deadLetterTargetArn": arn_of(sqs, dead)}))
    sqs.delete_queue(QueueUrl=url)
    sns.publish(TopicArn=topic, Message="nobody listens")
    eventually(lambda: notification(sqs, dead)["Message"] == "nobody listens")
