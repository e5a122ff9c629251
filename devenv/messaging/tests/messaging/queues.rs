use serde_json::json;

use crate::client::Client;

#[tokio::test]
async fn a_queue_is_known_by_its_url_its_arn_and_its_attributes() {
    let client = Client::in_memory();
    let url = client.queue("orders", json!({ "VisibilityTimeout": "60" })).await;
    assert_eq!(url, "http://emulator:8000/000000000000/orders");
    let found = client.call("GetQueueUrl", json!({ "QueueName": "orders" })).await;
    assert_eq!(found["QueueUrl"], url);
    let all = client.call("GetQueueAttributes", json!({ "QueueUrl": url, "AttributeNames": ["All"] })).await;
    let mut all = all["Attributes"].clone();
    for name in ["CreatedTimestamp", "LastModifiedTimestamp"] {
        let at = all.as_object_mut().expect("attributes").remove(name).expect("a time");
        assert!(at.as_str().expect("a text").parse::<i64>().expect("seconds") > 1_700_000_000);
    }
    assert_eq!(
        all,
        json!({
            "QueueArn": "arn:aws:sqs:eu-central-1:000000000000:orders",
            "VisibilityTimeout": "60",
            "DelaySeconds": "0",
            "MaximumMessageSize": "1048576",
            "MessageRetentionPeriod": "345600",
            "ReceiveMessageWaitTimeSeconds": "0",
            "SqsManagedSseEnabled": "true",
            "ApproximateNumberOfMessages": "0",
            "ApproximateNumberOfMessagesNotVisible": "0",
            "ApproximateNumberOfMessagesDelayed": "0",
        })
    );
}

#[tokio::test]
async fn a_queue_is_created_again_only_with_the_same_attributes() {
    let client = Client::in_memory();
    let url = client.queue("orders", json!({ "DelaySeconds": "5" })).await;
    assert_eq!(client.queue("orders", json!({ "DelaySeconds": "5" })).await, url);
    assert_eq!(client.queue("orders", json!({})).await, url);
    let other = json!({ "QueueName": "orders", "Attributes": { "DelaySeconds": "6" } });
    let (code, message) = client.refused("CreateQueue", other).await;
    assert_eq!(code, "QueueAlreadyExists");
    assert!(message.contains("DelaySeconds"), "{message}");
}

#[tokio::test]
async fn wrong_names_and_attributes_are_refused() {
    let client = Client::in_memory();
    for (name, attributes, code) in [
        ("a b", json!({}), "InvalidParameterValue"),
        ("", json!({}), "InvalidParameterValue"),
        (&"a".repeat(81), json!({}), "InvalidParameterValue"),
        ("orders.fifo", json!({}), "InvalidParameterValue"),
        ("orders", json!({ "FifoQueue": "true" }), "InvalidParameterValue"),
        ("orders", json!({ "FifoQueue": "false" }), "InvalidAttributeName"),
        ("orders", json!({ "ContentBasedDeduplication": "true" }), "InvalidAttributeName"),
        ("orders", json!({ "Colour": "red" }), "InvalidAttributeName"),
        ("orders", json!({ "QueueArn": "x" }), "InvalidAttributeName"),
        ("orders", json!({ "DelaySeconds": "901" }), "InvalidAttributeValue"),
        ("orders", json!({ "MaximumMessageSize": "1023" }), "InvalidAttributeValue"),
        ("orders", json!({ "MaximumMessageSize": "1048577" }), "InvalidAttributeValue"),
        ("orders", json!({ "MessageRetentionPeriod": "59" }), "InvalidAttributeValue"),
        ("orders", json!({ "VisibilityTimeout": "soon" }), "InvalidAttributeValue"),
        ("orders", json!({ "Policy": "{" }), "InvalidAttributeValue"),
        ("orders.fifo", json!({ "FifoQueue": "true", "DeduplicationScope": "none" }), "InvalidAttributeValue"),
    ] {
        let parameters = json!({ "QueueName": name, "Attributes": attributes });
        let (refused, message) = client.refused("CreateQueue", parameters).await;
        assert_eq!(refused, code, "{name} {attributes}: {message}");
    }
}

#[tokio::test]
async fn unknown_operations_and_parameters_and_queues_are_refused() {
    let client = Client::in_memory();
    let url = "http://emulator:8000/000000000000/absent";
    for (operation, parameters, code) in [
        ("Explode", json!({}), "InvalidAction"),
        ("ListQueues", json!({ "Colour": "red" }), "InvalidParameterValue"),
        ("ListQueues", json!({ "MaxResults": "1" }), "MalformedInput"),
        ("CreateQueue", json!({}), "MissingParameter"),
        ("GetQueueUrl", json!({ "QueueName": "absent" }), "AWS.SimpleQueueService.NonExistentQueue"),
        ("SendMessage", json!({ "QueueUrl": url, "MessageBody": "b" }), "AWS.SimpleQueueService.NonExistentQueue"),
        ("ReceiveMessage", json!({ "QueueUrl": url }), "AWS.SimpleQueueService.NonExistentQueue"),
        ("DeleteQueue", json!({ "QueueUrl": url }), "AWS.SimpleQueueService.NonExistentQueue"),
        ("PurgeQueue", json!({ "QueueUrl": "absent" }), "InvalidAddress"),
    ] {
        let (refused, message) = client.refused(operation, parameters.clone()).await;
        assert_eq!(refused, code, "{operation} {parameters}: {message}");
    }
}

#[tokio::test]
async fn attributes_and_tags_change() {
    let client = Client::in_memory();
    let url = client.queue("orders", json!({})).await;
    let change = json!({ "QueueUrl": url, "Attributes": { "VisibilityTimeout": "7", "Policy": "{}" } });
    client.call("SetQueueAttributes", change).await;
    assert_eq!(client.attribute(&url, "VisibilityTimeout").await, "7");
    assert_eq!(client.attribute(&url, "Policy").await, "{}");
    let fixed = json!({ "QueueUrl": url, "Attributes": { "FifoQueue": "true" } });
    assert_eq!(client.refused("SetQueueAttributes", fixed).await.0, "InvalidAttributeName");

    let tags = json!({ "QueueUrl": url, "Tags": { "team": "orders", "tier": "1" } });
    client.call("TagQueue", tags).await;
    client.call("UntagQueue", json!({ "QueueUrl": url, "TagKeys": ["tier"] })).await;
    let listed = client.call("ListQueueTags", json!({ "QueueUrl": url })).await;
    assert_eq!(listed, json!({ "Tags": { "team": "orders" } }));
    let reserved = json!({ "QueueUrl": url, "Tags": { "aws:x": "1" } });
    assert_eq!(client.refused("TagQueue", reserved).await.0, "InvalidParameterValue");
}

#[tokio::test]
async fn queues_are_listed_by_prefix_and_page() {
    let client = Client::in_memory();
    assert_eq!(client.call("ListQueues", json!({})).await, json!({}));
    for name in ["a1", "a2", "a3", "b1"] {
        client.queue(name, json!({})).await;
    }
    let url = |name: &str| format!("http://emulator:8000/000000000000/{name}");
    let first = client.call("ListQueues", json!({ "QueueNamePrefix": "a", "MaxResults": 2 })).await;
    assert_eq!(first["QueueUrls"], json!([url("a1"), url("a2")]));
    let next = json!({ "QueueNamePrefix": "a", "MaxResults": 2, "NextToken": first["NextToken"] });
    let last = client.call("ListQueues", next).await;
    assert_eq!(last, json!({ "QueueUrls": [url("a3")] }));
    assert_eq!(client.refused("ListQueues", json!({ "MaxResults": 1001 })).await.0, "InvalidParameterValue");
}

#[tokio::test]
async fn a_deleted_queue_takes_its_messages_along_and_ends_long_polls() {
    let client = Client::in_memory();
    let url = client.queue("orders", json!({})).await;
    let waiting = {
        let (client, url) = (client.clone(), url.clone());
        tokio::spawn(async move {
            client.refused("ReceiveMessage", json!({ "QueueUrl": url, "WaitTimeSeconds": 20 })).await
        })
    };
    // The poll may begin after the deletion: it is refused either way.
    client.call("DeleteQueue", json!({ "QueueUrl": url })).await;
    let ended = tokio::time::timeout(std::time::Duration::from_secs(10), waiting).await.expect("at once");
    assert_eq!(ended.expect("no panic").0, "AWS.SimpleQueueService.NonExistentQueue");
    client.queue("orders", json!({})).await;
    assert_eq!(client.receive(&url, json!({})).await.len(), 0);
}
