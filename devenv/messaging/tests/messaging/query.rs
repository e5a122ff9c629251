use serde_json::json;

use crate::client::Client;

const VERSION: &str = "Version=2012-11-05";

#[tokio::test]
async fn forms_are_answered_in_xml() {
    let client = Client::in_memory();
    let create = format!(
        "Action=CreateQueue&{VERSION}&QueueName=orders&Attribute.1.Name=DelaySeconds&Attribute.1.Value=0&Tag.1.Key=team&Tag.1.Value=a%26b"
    );
    let (status, xml) = client.form("/", &create).await;
    assert_eq!(status, 200, "{xml}");
    assert!(
        xml.contains(
            "<CreateQueueResult><QueueUrl>http://emulator:8000/000000000000/orders</QueueUrl></CreateQueueResult>"
        ),
        "{xml}"
    );
    let path = "/000000000000/orders";
    let (_, xml) = client.form(path, &format!("Action=ListQueueTags&{VERSION}")).await;
    assert!(xml.contains("<Tag><Key>team</Key><Value>a&amp;b</Value></Tag>"), "{xml}");

    let send = format!(
        "Action=SendMessage&{VERSION}&MessageBody=%3Chello%3E&MessageAttribute.1.Name=type&MessageAttribute.1.Value.DataType=String&MessageAttribute.1.Value.StringValue=x"
    );
    let (status, xml) = client.form(path, &send).await;
    assert_eq!(status, 200, "{xml}");
    let receive = format!(
        "Action=ReceiveMessage&{VERSION}&MaxNumberOfMessages=10&AttributeName.1=All&MessageAttributeName.1=All"
    );
    let (_, xml) = client.form(path, &receive).await;
    for part in [
        "<ReceiveMessageResult><Message><MessageId>",
        "<Body>&lt;hello&gt;</Body>",
        "<Attribute><Name>ApproximateReceiveCount</Name><Value>1</Value></Attribute>",
        "<MessageAttribute><Name>type</Name><Value><StringValue>x</StringValue><DataType>String</DataType></Value></MessageAttribute>",
        "</ReceiveMessageResult><ResponseMetadata><RequestId>",
    ] {
        assert!(xml.contains(part), "{part}: {xml}");
    }
    let handle = xml.split("<ReceiptHandle>").nth(1).and_then(|rest| rest.split('<').next()).expect("a handle");
    let handle = handle.replace('+', "%2B").replace('=', "%3D").replace('/', "%2F");
    let delete = format!(
        "Action=DeleteMessageBatch&{VERSION}&DeleteMessageBatchRequestEntry.1.Id=a&DeleteMessageBatchRequestEntry.1.ReceiptHandle={handle}"
    );
    let (_, xml) = client.form(path, &delete).await;
    assert!(xml.contains("<DeleteMessageBatchResultEntry><Id>a</Id></DeleteMessageBatchResultEntry>"), "{xml}");
    let (status, xml) = client.form(path, &format!("Action=PurgeQueue&{VERSION}")).await;
    assert_eq!(status, 200);
    assert!(xml.contains("<PurgeQueueResponse") && !xml.contains("PurgeQueueResult"), "{xml}");
}

#[tokio::test]
async fn errors_have_the_codes_of_the_query_protocol() {
    let client = Client::in_memory();
    client.queue("orders", json!({})).await;
    for (path, form, status, code) in [
        ("/", "Action=GetQueueUrl&QueueName=absent", 400, "AWS.SimpleQueueService.NonExistentQueue"),
        ("/000000000000/absent", "Action=PurgeQueue", 400, "AWS.SimpleQueueService.NonExistentQueue"),
        ("/", "Action=Explode", 400, "InvalidAction"),
        ("/", "Colour=red", 400, "MissingAction"),
        ("/", "Action=ListQueues&Colour=red", 400, "InvalidParameterValue"),
        ("/", "Action=ListQueues&MaxResults=many", 400, "InvalidParameterValue"),
        ("/", "Action=PurgeQueue", 400, "MissingParameter"),
        ("/wrong", "Action=PurgeQueue", 404, "InvalidAddress"),
        (
            "/000000000000/orders",
            "Action=SendMessageBatch&SendMessageBatchRequestEntry.one.Id=a",
            400,
            "InvalidParameterValue",
        ),
    ] {
        let (answered, xml) = client.form(path, &format!("{form}&{VERSION}")).await;
        assert_eq!(answered, status, "{form}: {xml}");
        assert!(xml.contains(&format!("<Type>Sender</Type><Code>{code}</Code>")), "{form}: {xml}");
    }
}

#[tokio::test]
async fn a_form_has_limits() {
    let client = Client::in_memory();
    let many = (0..10_001).map(|number| format!("Tag.{number}.Key=a")).collect::<Vec<_>>().join("&");
    let deep = format!("{}=1", vec!["a"; 13].join("."));
    for form in [many, deep] {
        let (status, xml) = client.form("/", &form).await;
        assert_eq!(status, 400);
        assert!(xml.contains("MalformedInput"), "{xml}");
    }
}
