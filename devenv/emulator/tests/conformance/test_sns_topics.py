"""Topics: names, attributes, tags, lists."""

import json

import pytest
from conftest import REGION
from support import refused


def topic_attributes(sns, arn):
    return sns.get_topic_attributes(TopicArn=arn)["Attributes"]


def test_the_arn_of_a_topic(sns, name):
    arn = sns.create_topic(Name=name)["TopicArn"]
    parts = arn.split(":")
    assert parts[:4] == ["arn", "aws", "sns", REGION] and parts[5] == name
    assert len(parts[4]) == 12 and parts[4].isdigit()


def test_creating_again_gives_the_same_topic(sns, name):
    first = sns.create_topic(Name=name, Attributes={"DisplayName": "Orders"})
    assert sns.create_topic(Name=name)["TopicArn"] == first["TopicArn"]
    assert sns.create_topic(Name=name, Attributes={"DisplayName": "Orders"})["TopicArn"] == first["TopicArn"]
    assert topic_attributes(sns, first["TopicArn"])["DisplayName"] == "Orders"


def test_creating_again_with_other_attributes_is_refused(sns, name):
    sns.create_topic(Name=name, Attributes={"DisplayName": "Orders"})
    with refused("InvalidParameter"):
        sns.create_topic(Name=name, Attributes={"DisplayName": "Stock"})


def test_creating_again_with_other_tags_is_refused(sns, name):
    sns.create_topic(Name=name, Tags=[{"Key": "team", "Value": "orders"}])
    with refused("InvalidParameter"):
        sns.create_topic(Name=name, Tags=[{"Key": "team", "Value": "stock"}])


@pytest.mark.parametrize("bad", ["", "with space", "dot.ted", "a" * 257, "orders.fifo"])
def test_a_topic_name_outside_of_the_alphabet_is_refused(sns, bad):
    with refused("InvalidParameter"):
        sns.create_topic(Name=bad)


def test_the_name_of_a_fifo_topic_has_a_suffix(sns, name):
    with refused("InvalidParameter"):
        sns.create_topic(Name=name, Attributes={"FifoTopic": "true"})


def test_a_new_topic_has_the_documented_defaults(sns, topic):
    given = topic_attributes(sns, (arn := topic()))
    assert given["TopicArn"] == arn and given["Owner"] == arn.split(":")[4]
    assert [given[name] for name in ("SubscriptionsConfirmed", "SubscriptionsPending", "SubscriptionsDeleted")] == ["0"] * 3
    assert given["DisplayName"] == ""
    assert json.loads(given["Policy"])["Statement"] and json.loads(given["EffectiveDeliveryPolicy"])["http"]
    assert "FifoTopic" not in given


def test_a_fifo_topic_has_the_documented_defaults(sns, topic):
    given = topic_attributes(sns, topic(True))
    assert (given["FifoTopic"], given["ContentBasedDeduplication"]) == ("true", "false")


@pytest.mark.parametrize("attribute, value", [("DisplayName", "Orders"), ("SignatureVersion", "2"), ("TracingConfig", "Active")])
def test_an_attribute_changes(sns, topic, attribute, value):
    arn = topic()
    sns.set_topic_attributes(TopicArn=arn, AttributeName=attribute, AttributeValue=value)
    assert topic_attributes(sns, arn)[attribute] == value


def test_a_policy_is_kept(sns, topic):
    arn = topic()
    policy = {"Version": "2012-10-17", "Statement": []}
    sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=json.dumps(policy))
    assert json.loads(topic_attributes(sns, arn)["Policy"]) == policy


@pytest.mark.parametrize(
    "attribute, value",
    [("Colour", "red"), ("Owner", "me"), ("SignatureVersion", "3"), ("TracingConfig", "Loud"), ("FifoTopic", "true"), ("Policy", "no JSON")],
)
def test_a_wrong_attribute_is_refused(sns, topic, attribute, value):
    with refused("InvalidParameter"):
        sns.set_topic_attributes(TopicArn=topic(), AttributeName=attribute, AttributeValue=value)


def test_an_absent_topic_is_its_own_exception(sns, topic):
    absent = f"{topic()}-absent"
    for call in (
        lambda: sns.get_topic_attributes(TopicArn=absent),
        lambda: sns.set_topic_attributes(TopicArn=absent, AttributeName="DisplayName", AttributeValue="x"),
        lambda: sns.publish(TopicArn=absent, Message="x"),
        lambda: sns.list_subscriptions_by_topic(TopicArn=absent),
        lambda: sns.subscribe(TopicArn=absent, Protocol="sqs", Endpoint="arn:aws:sqs:eu-west-1:000000000000:q"),
    ):
        with pytest.raises(sns.exceptions.NotFoundException):
            call()


def test_what_is_no_arn_is_refused(sns):
    with refused("InvalidParameter"):
        sns.publish(TopicArn="orders", Message="x")


def test_a_deleted_topic_is_gone_and_deleting_it_again_is_no_error(sns, name):
    arn = sns.create_topic(Name=name)["TopicArn"]
    sns.delete_topic(TopicArn=arn)
    sns.delete_topic(TopicArn=arn)
    with pytest.raises(sns.exceptions.NotFoundException):
        sns.get_topic_attributes(TopicArn=arn)


def test_a_deleted_topic_takes_its_subscriptions_along(sns, subscribed):
    arn, _, subscription = subscribed()
    sns.delete_topic(TopicArn=arn)
    with pytest.raises(sns.exceptions.NotFoundException):
        sns.get_subscription_attributes(SubscriptionArn=subscription)


def test_topics_are_listed_by_pages(sns, name):
    arns = {sns.create_topic(Name=f"{name}-{number:03}")["TopicArn"] for number in range(105)}
    first = sns.list_topics()
    assert len(first["Topics"]) == 100 and first["NextToken"]
    found = [topic["TopicArn"] for page in sns.get_paginator("list_topics").paginate() for topic in page["Topics"]]
    assert len(found) == len(set(found)) and arns <= set(found)
    for arn in arns:
        sns.delete_topic(TopicArn=arn)


def test_tags_are_added_replaced_and_removed(sns, name):
    arn = sns.create_topic(Name=name, Tags=[{"Key": "team", "Value": "orders"}])["TopicArn"]

    def tags():
        return {tag["Key"]: tag["Value"] for tag in sns.list_tags_for_resource(ResourceArn=arn)["Tags"]}

    sns.tag_resource(ResourceArn=arn, Tags=[{"Key": "team", "Value": "stock"}, {"Key": "stage", "Value": "test"}])
    assert tags() == {"team": "stock", "stage": "test"}
    sns.untag_resource(ResourceArn=arn, TagKeys=["team", "absent"])
    assert tags() == {"stage": "test"}


def test_a_topic_has_fifty_tags_at_most(sns, topic):
    arn = topic()
    tags = [{"Key": f"k{number}", "Value": "x"} for number in range(51)]
    sns.tag_resource(ResourceArn=arn, Tags=tags[:50])
    with refused("TagLimitExceeded"):
        sns.tag_resource(ResourceArn=arn, Tags=tags[50:])


def test_the_tags_of_an_absent_topic(sns, topic):
    absent = f"{topic()}-absent"
    with refused("ResourceNotFound"):
        sns.list_tags_for_resource(ResourceArn=absent)
    with refused("ResourceNotFound"):
        sns.tag_resource(ResourceArn=absent, Tags=[{"Key": "a", "Value": "b"}])
