use std::path::Path;
use std::time::{Duration, Instant};

use devenv_messaging::{Head, Messaging, OpenError, Place, Reply};
use serde_json::{Value, json};

/// A caller of SQS by AWS JSON.
#[derive(Clone)]
pub(crate) struct Client(pub(crate) Messaging);

impl Client {
    pub(crate) fn in_memory() -> Self {
        Self(Messaging::open(&Place::Memory).expect("memory needs nothing"))
    }

    /// Opens a file, once its last holder has closed it.
    pub(crate) fn reopened(path: &Path) -> Self {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            match Messaging::open(&Place::File(path.to_owned())) {
                Ok(messaging) => return Self(messaging),
                Err(OpenError::File { cause, .. }) if cause.contains("another process") => {}
                Err(error) => panic!("{error}"),
            }
            assert!(Instant::now() < deadline, "the file stays open");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    pub(crate) async fn reply(&self, operation: &str, parameters: &Value) -> Reply {
        let head = Head { target: Some(format!("AmazonSQS.{operation}")), ..head() };
        self.0.answer(&head, parameters.to_string().as_bytes()).await
    }

    /// Returns the result of a call that succeeds.
    pub(crate) async fn call(&self, operation: &str, parameters: Value) -> Value {
        let reply = self.reply(operation, &parameters).await;
        let body = String::from_utf8(reply.body).expect("JSON is UTF-8");
        assert_eq!(reply.status, 200, "{operation} {parameters}: {body}");
        serde_json::from_str(&body).expect("an answer in JSON")
    }

    /// Returns the Query protocol's code and the message of a call that is refused.
    pub(crate) async fn refused(&self, operation: &str, parameters: Value) -> (String, String) {
        let reply = self.reply(operation, &parameters).await;
        let body: Value = serde_json::from_slice(&reply.body).expect("an error in JSON");
        assert!(reply.status >= 400, "{operation} {parameters}: {body}");
        let code = reply.query_error.expect("errors in JSON repeat the code");
        let code = code.strip_suffix(";Sender").unwrap_or_else(|| panic!("{code}: {body}")).to_owned();
        (code, body["message"].as_str().expect("a message").to_owned())
    }

    /// Creates a queue and returns its URL.
    pub(crate) async fn queue(&self, name: &str, attributes: Value) -> String {
        let created = self.call("CreateQueue", json!({ "QueueName": name, "Attributes": attributes })).await;
        created["QueueUrl"].as_str().expect("a URL").to_owned()
    }

    pub(crate) async fn send(&self, url: &str, body: &str) -> Value {
        self.call("SendMessage", json!({ "QueueUrl": url, "MessageBody": body })).await
    }

    pub(crate) async fn send_to_group(&self, url: &str, group: &str, body: &str) -> Value {
        let message = json!({ "QueueUrl": url, "MessageBody": body, "MessageGroupId": group });
        self.call("SendMessage", message).await
    }

    /// Receives with these parameters; by default ten messages, with all attributes.
    pub(crate) async fn receive(&self, url: &str, more: Value) -> Vec<Value> {
        let mut parameters = json!({
            "QueueUrl": url, "MaxNumberOfMessages": 10,
            "MessageSystemAttributeNames": ["All"], "MessageAttributeNames": ["All"],
        });
        for (name, value) in more.as_object().expect("parameters") {
            parameters[name] = value.clone();
        }
        let received = self.call("ReceiveMessage", parameters).await;
        received["Messages"].as_array().cloned().unwrap_or_default()
    }

    pub(crate) async fn delete(&self, url: &str, message: &Value) {
        self.call("DeleteMessage", json!({ "QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"] })).await;
    }

    pub(crate) async fn attribute(&self, url: &str, name: &str) -> String {
        let found = self.call("GetQueueAttributes", json!({ "QueueUrl": url, "AttributeNames": [name] })).await;
        found["Attributes"][name].as_str().unwrap_or_else(|| panic!("{name} is absent: {found}")).to_owned()
    }

    /// Sends a form, and returns the status and the XML.
    pub(crate) async fn form(&self, path: &str, form: &str) -> (u16, String) {
        let head = Head { path: path.to_owned(), ..head() };
        let reply = self.0.answer(&head, form.as_bytes()).await;
        (reply.status, String::from_utf8(reply.body).expect("XML is UTF-8"))
    }
}

fn head() -> Head {
    Head {
        host: Some("emulator:8000".to_owned()),
        authorization: Some(
            "AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/sqs/aws4_request, SignedHeaders=host, Signature=0"
                .to_owned(),
        ),
        path: "/".to_owned(),
        ..Head::default()
    }
}

pub(crate) fn bodies(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| message["Body"].as_str().expect("a body")).collect()
}
