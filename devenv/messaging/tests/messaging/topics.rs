//! Topics as a client sees them, over the real store.

use std::time::{Duration, Instant};

use devenv_messaging::{Head, Messaging, Place, Reply};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const DEADLINE: Duration = Duration::from_secs(20);

async fn call(messaging: &Messaging, version: &str, action: &str, parameters: &[(&str, &str)]) -> (u16, String) {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", action).append_pair("Version", version).extend_pairs(parameters);
    let head = Head { host: Some("127.0.0.1:1".to_owned()), path: "/".to_owned(), ..Head::default() };
    let Reply { status, body, .. } = messaging.answer(&head, form.finish().as_bytes()).await;
    (status, String::from_utf8(body).expect("XML is UTF-8"))
}

async fn sns(messaging: &Messaging, action: &str, parameters: &[(&str, &str)]) -> String {
    let (status, body) = call(messaging, "2010-03-31", action, parameters).await;
    assert_eq!(status, 200, "{action}: {body}");
    body
}

async fn sqs(messaging: &Messaging, action: &str, parameters: &[(&str, &str)]) -> String {
    let (status, body) = call(messaging, "2012-11-05", action, parameters).await;
    assert_eq!(status, 200, "{action}: {body}");
    body
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}"));
    rest.split_once(after).unwrap_or_else(|| panic!("no {after} in {text}")).0
}

/// A topic `orders` with the queue `reporting`. Returns the topic's ARN.
async fn topic_with_queue(messaging: &Messaging, attributes: &[(&str, &str)]) -> String {
    sqs(messaging, "CreateQueue", &[("QueueName", "reporting")]).await;
    let created = sns(messaging, "CreateTopic", &[("Name", "orders")]).await;
    let topic = between(&created, "<TopicArn>", "</TopicArn>").to_owned();
    let queue = "arn:aws:sqs:eu-west-1:000000000000:reporting";
    let mut parameters = vec![("TopicArn", topic.as_str()), ("Protocol", "sqs"), ("Endpoint", queue)];
    parameters.extend(attributes);
    sns(messaging, "Subscribe", &parameters).await;
    topic
}

async fn received(messaging: &Messaging, queue: &str) -> String {
    let url = format!("http://127.0.0.1:1/000000000000/{queue}");
    sqs(messaging, "ReceiveMessage", &[("QueueUrl", &url), ("MessageAttributeName.1", "All")]).await
}

/// Opens a file, once its last holder has closed it.
async fn reopened(place: &Place) -> Messaging {
    let end = Instant::now() + DEADLINE;
    loop {
        match Messaging::open(place) {
            Ok(messaging) => return messaging,
            Err(error) => assert!(Instant::now() < end, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn an_answered_publish_is_in_the_queue_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = Place::File(folder.path().join("messages.sqlite"));
    {
        let messaging = Messaging::open(&place).expect("a new file");
        let topic = topic_with_queue(&messaging, &[]).await;
        sns(&messaging, "Publish", &[("TopicArn", &topic), ("Message", "an <order>")]).await;
    }
    let messaging = reopened(&place).await;
    let body = received(&messaging, "reporting").await;
    assert!(body.contains("&quot;Message&quot;:&quot;an &lt;order&gt;&quot;"), "{body}");
}

#[tokio::test]
async fn a_queue_is_subscribed_once_whatever_the_region() {
    let messaging = Messaging::open(&Place::Memory).expect("memory");
    let topic = topic_with_queue(&messaging, &[]).await;
    let listed = sns(&messaging, "ListSubscriptions", &[]).await;
    let elsewhere = "arn:aws:sqs:us-east-1:000000000000:reporting";
    let parameters = [("TopicArn", topic.as_str()), ("Protocol", "sqs"), ("Endpoint", elsewhere)];
    let again = sns(&messaging, "Subscribe", &parameters).await;
    let arn = |answer: &str| between(answer, "<SubscriptionArn>", "</SubscriptionArn>").to_owned();
    assert_eq!(arn(&again), arn(&listed));
    let other = "arn:aws:sqs:us-east-1:000000000000:the-reporting";
    let parameters = [("TopicArn", topic.as_str()), ("Protocol", "sqs"), ("Endpoint", other)];
    assert_ne!(arn(&sns(&messaging, "Subscribe", &parameters).await), arn(&listed));
}

#[tokio::test]
async fn a_raw_delivery_has_the_attributes_of_the_message() {
    let messaging = Messaging::open(&Place::Memory).expect("memory");
    let raw = [("Attributes.entry.1.key", "RawMessageDelivery"), ("Attributes.entry.1.value", "true")];
    let topic = topic_with_queue(&messaging, &raw).await;
    let parameters = [
        ("TopicArn", topic.as_str()),
        ("Message", "plain"),
        ("MessageAttributes.entry.1.Name", "type"),
        ("MessageAttributes.entry.1.Value.DataType", "String"),
        ("MessageAttributes.entry.1.Value.StringValue", "order.confirmed"),
    ];
    sns(&messaging, "Publish", &parameters).await;
    let body = received(&messaging, "reporting").await;
    assert!(body.contains("<Body>plain</Body>") && body.contains("order.confirmed"), "{body}");
}

#[tokio::test]
async fn a_message_for_a_queue_that_is_gone_is_dead() {
    let messaging = Messaging::open(&Place::Memory).expect("memory");
    let policy = r#"{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:000000000000:dead"}"#;
    let redrive = [("Attributes.entry.1.key", "RedrivePolicy"), ("Attributes.entry.1.value", policy)];
    let topic = topic_with_queue(&messaging, &redrive).await;
    sqs(&messaging, "CreateQueue", &[("QueueName", "dead")]).await;
    sqs(&messaging, "DeleteQueue", &[("QueueUrl", "http://127.0.0.1:1/000000000000/reporting")]).await;
    sns(&messaging, "Publish", &[("TopicArn", &topic), ("Message", "lost otherwise")]).await;
    assert!(received(&messaging, "dead").await.contains("lost otherwise"));
}

#[tokio::test]
async fn a_wrong_filter_is_refused_with_its_place() {
    let messaging = Messaging::open(&Place::Memory).expect("memory");
    let topic = topic_with_queue(&messaging, &[]).await;
    let (status, body) = call(
        &messaging,
        "2010-03-31",
        "Subscribe",
        &[
            ("TopicArn", &topic),
            ("Protocol", "sqs"),
            ("Endpoint", "arn:aws:sqs:eu-west-1:000000000000:other"),
            ("Attributes.entry.1.key", "FilterPolicy"),
            ("Attributes.entry.1.value", r#"{"type": ["a", {"regex": "b"}]}"#),
        ],
    )
    .await;
    assert_eq!(status, 400);
    assert!(body.contains("<Code>InvalidParameter</Code>"), "{body}");
    assert!(body.contains("FilterPolicy: Unrecognized match type regex at $.type[1].regex"), "{body}");
}

/// Accepts one request, and answers with the status. Returns the request.
async fn serve(listener: &TcpListener, status: &str) -> String {
    let (mut connection, _) = listener.accept().await.expect("a caller");
    let mut request = Vec::new();
    while !String::from_utf8_lossy(&request).ends_with('}') {
        let mut part = [0; 4096];
        let count = connection.read(&mut part).await.expect("a request");
        assert!(count > 0, "the request ends early");
        request.extend_from_slice(&part[..count]);
    }
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
    connection.write_all(answer.as_bytes()).await.expect("answered");
    String::from_utf8(request).expect("a request is UTF-8")
}

/// A topic with the listener as its endpoint, which has confirmed the subscription. Returns the topic's ARN.
async fn topic_with_endpoint(messaging: &Messaging, listener: &TcpListener) -> String {
    let created = sns(messaging, "CreateTopic", &[("Name", "orders")]).await;
    let topic = between(&created, "<TopicArn>", "</TopicArn>").to_owned();
    let endpoint = format!("http://{}/hook?a=b", listener.local_addr().expect("bound"));
    let parameters = [("TopicArn", topic.as_str()), ("Protocol", "http"), ("Endpoint", &endpoint)];
    let asked = sns(messaging, "Subscribe", &parameters).await;
    assert!(asked.contains("pending confirmation"), "{asked}");
    let request = tokio::time::timeout(DEADLINE, serve(listener, "200 OK")).await.expect("asked at once");
    assert!(request.starts_with("POST /hook?a=b HTTP/1.1"), "{request}");
    assert!(request.contains("x-amz-sns-message-type: SubscriptionConfirmation"), "{request}");
    sns(messaging, "Publish", &[("TopicArn", &topic), ("Message", "before the consent")]).await;
    let token = between(&request, "\"Token\":\"", "\"");
    sns(messaging, "ConfirmSubscription", &[("TopicArn", &topic), ("Token", token)]).await;
    topic
}

#[tokio::test]
async fn an_http_endpoint_confirms_and_gets_a_message_until_it_answers() {
    let messaging = Messaging::open(&Place::Memory).expect("memory");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
    let topic = topic_with_endpoint(&messaging, &listener).await;
    sns(&messaging, "Publish", &[("TopicArn", &topic), ("Message", "after it")]).await;
    for status in ["503 Service Unavailable", "200 OK"] {
        let request = tokio::time::timeout(DEADLINE, serve(&listener, status)).await.expect("within a second");
        assert!(request.contains("x-amz-sns-message-type: Notification"), "{request}");
        assert!(request.contains("\"Message\":\"after it\""), "{request}");
    }
}

#[tokio::test]
async fn an_unanswered_http_delivery_outlives_the_program() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = Place::File(folder.path().join("messages.sqlite"));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
    {
        let messaging = Messaging::open(&place).expect("a new file");
        let topic = topic_with_endpoint(&messaging, &listener).await;
        sns(&messaging, "Publish", &[("TopicArn", &topic), ("Message", "still there")]).await;
        // The request is under way, and nobody answers it.
        drop(tokio::time::timeout(DEADLINE, listener.accept()).await.expect("delivered at once"));
    }
    let messaging = reopened(&place).await;
    messaging.resume();
    let request = tokio::time::timeout(DEADLINE, serve(&listener, "200 OK")).await.expect("delivered again");
    assert!(request.contains("\"Message\":\"still there\""), "{request}");
}

#[tokio::test]
async fn a_deleted_topic_delivers_nothing_more() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("messages.sqlite");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
    {
        let messaging = Messaging::open(&Place::File(path.clone())).expect("a new file");
        let topic = topic_with_endpoint(&messaging, &listener).await;
        sns(&messaging, "Publish", &[("TopicArn", &topic), ("Message", "too late")]).await;
        sns(&messaging, "DeleteTopic", &[("TopicArn", &topic)]).await;
        drop(listener);
    }
    drop(reopened(&Place::File(path.clone())).await);
    let file = rusqlite::Connection::open(&path).expect("a file of messages");
    file.busy_timeout(DEADLINE).expect("a wait");
    let left: i64 = file.query_row("SELECT count(*) FROM deliveries", [], |row| row.get(0)).expect("read");
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_repeated_subscribe_asks_again_and_a_confirmation_may_be_repeated() {
    let messaging = Messaging::open(&Place::Memory).expect("memory");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
    let created = sns(&messaging, "CreateTopic", &[("Name", "orders")]).await;
    let topic = between(&created, "<TopicArn>", "</TopicArn>").to_owned();
    let endpoint = format!("http://{}/hook", listener.local_addr().expect("bound"));
    let parameters = [("TopicArn", topic.as_str()), ("Protocol", "http"), ("Endpoint", &endpoint)];
    let mut tokens = Vec::new();
    for status in ["404 Not Found", "200 OK"] {
        sns(&messaging, "Subscribe", &parameters).await;
        let request = tokio::time::timeout(DEADLINE, serve(&listener, status)).await.expect("asked at once");
        tokens.push(between(&request, "\"Token\":\"", "\"").to_owned());
    }
    assert_eq!(tokens[0], tokens[1]);
    let confirm = [("TopicArn", topic.as_str()), ("Token", &tokens[0])];
    let first = sns(&messaging, "ConfirmSubscription", &confirm).await;
    let again = sns(&messaging, "ConfirmSubscription", &confirm).await;
    let arn = |answer: &str| between(answer, "<SubscriptionArn>", "</SubscriptionArn>").to_owned();
    assert_eq!(arn(&first), arn(&again));
}

/// The endpoint has as many messages as there are requests at once, and answers none.
#[tokio::test]
async fn a_hanging_endpoint_holds_up_no_other() {
    let messaging = Messaging::open(&Place::Memory).expect("memory");
    let hanging = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
    let topic = topic_with_endpoint(&messaging, &hanging).await;
    for number in 0..40 {
        sns(&messaging, "Publish", &[("TopicArn", &topic), ("Message", &number.to_string())]).await;
    }
    let other = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
    let endpoint = format!("http://{}/", other.local_addr().expect("bound"));
    let parameters = [("TopicArn", topic.as_str()), ("Protocol", "http"), ("Endpoint", &endpoint)];
    sns(&messaging, "Subscribe", &parameters).await;
    let limit = Duration::from_secs(5);
    tokio::time::timeout(limit, serve(&other, "200 OK")).await.expect("asked though the other endpoint hangs");
}
