use hyper::header::{HeaderName, HeaderValue};

use super::*;

fn head(headers: &[(&str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name: HeaderName = name.parse().expect("a name");
        map.append(name, HeaderValue::from_str(value).expect("a value"));
    }
    map
}

fn signed(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=devenv/20260101/eu-west-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    )
}

fn is_open_at(path: &str, target: &str) -> bool {
    is_open(&Method::POST, &path.parse().expect("an address"), &head(&[(TARGET, target)]))
}

fn form_at(path: &str, headers: &[(&str, &str)]) -> Option<FormService> {
    form_service(&Method::POST, &path.parse().expect("an address"), &head(headers))
}

#[test]
fn a_task_handles_the_messages_of_queues_and_changes_no_queue() {
    for operation in OF_QUEUES {
        let target = format!("AmazonSQS.{operation}");
        for path in ["/", "/000000000000/reporting", "/000000000000/line.fifo"] {
            assert!(is_open_at(path, &target), "{operation} {path}");
        }
    }
    for operation in
        ["CreateQueue", "DeleteQueue", "ListQueues", "PurgeQueue", "SetQueueAttributes", "StartMessageMoveTask", ""]
    {
        assert!(!is_open_at("/", &format!("AmazonSQS.{operation}")), "{operation}");
    }
    for path in
        ["/000000000000/", "/000000000000/a/b", "/000000000000/..", "/shop-state/reporting", "/00000000000/a", "//a"]
    {
        assert!(!is_open_at(path, "AmazonSQS.SendMessage"), "{path}");
    }
    assert!(!is_open_at("/000000000000/reporting", "DynamoDB_20120810.GetItem"), "a table has no path");
    assert!(!is_open_at("/?Action=DeleteQueue", "AmazonSQS.SendMessage"));
}

#[test]
fn a_form_is_of_the_service_that_its_signature_names() {
    let form = ("content-type", "application/x-www-form-urlencoded");
    let (sns, sqs) = (signed("sns"), signed("sqs"));
    assert_eq!(form_at("/", &[form, ("authorization", &sns)]), Some(FormService::Topics));
    let with_charset = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");
    assert_eq!(form_at("/", &[with_charset, ("authorization", &sqs)]), Some(FormService::Queues));
    assert_eq!(form_at("/000000000000/reporting", &[form, ("authorization", &sqs)]), Some(FormService::Queues));
    assert_eq!(form_at("/000000000000/reporting", &[form, ("authorization", &sns)]), None);
    for service in ["iam", "sts", "ec2", "rds", "SNS", ""] {
        assert_eq!(form_at("/", &[form, ("authorization", &signed(service))]), None, "{service}");
    }
    let two = format!("{sns}, Credential=devenv/20260101/eu-west-1/iam/aws4_request");
    for refused in [
        &[form][..],
        &[("authorization", &*sns)],
        &[form, ("authorization", &two)],
        &[form, ("authorization", &sns), ("authorization", &sqs)],
        &[form, ("authorization", &sns), (TARGET, "AmazonEC2ContainerServiceV20141113.RunTask")],
        &[form, ("authorization", &sns), ("content-encoding", "gzip")],
        &[form, ("authorization", &sns), ("x-amz-decoded-content-length", "5")],
        &[("content-type", "multipart/form-data"), ("authorization", &sns)],
    ] {
        assert_eq!(form_at("/", refused), None, "{refused:?}");
    }
    assert_eq!(form_at("/?Action=CreateTopic", &[form, ("authorization", &sns)]), None);
    let get = form_service(&Method::GET, &"/".parse().expect("an address"), &head(&[form, ("authorization", &sns)]));
    assert_eq!(get, None);
}

#[test]
fn a_form_publishes_or_handles_messages() {
    use FormService::{Queues, Topics};
    for (service, body) in [
        (Topics, "Action=Publish&TopicArn=arn%3Aaws%3Asns%3A%3A%3Aevents&Message=Action%3DCreateTopic"),
        (Topics, "Version=2010-03-31&Action=PublishBatch"),
        (Queues, "Action=SendMessage&MessageBody=a%26Action%3DDeleteQueue"),
        (Queues, "Action=%52eceiveMessage"),
    ] {
        assert!(decide_form(service, body.as_bytes()).is_ok(), "{body}");
    }
    for (service, body) in [
        (Topics, "Action=CreateTopic"),
        (Topics, "Action=Subscribe"),
        (Topics, "Action=SendMessage"),
        (Topics, "Action=publish"),
        (Topics, "Action=Publish&Action=CreateTopic"),
        (Topics, "Action=&Action=CreateTopic"),
        (Topics, "Action=Publish&%41ction=CreateTopic"),
        (Topics, "action=CreateTopic&Action=Publish"),
        (Topics, ""),
        (Topics, "{\"Action\":\"Publish\"}"),
        (Queues, "Action=Publish"),
        (Queues, "Action=DeleteQueue"),
        (Queues, "Action=CreateUser"),
    ] {
        assert!(decide_form(service, body.as_bytes()).is_err(), "{body}");
    }
}
