use hyper::header::{HeaderName, HeaderValue};

use super::*;
use crate::settings::tests::settings;
use crate::task_policy::{OF_QUEUES, OF_TABLES};

const SIGNED: &str =
    "AWS4-HMAC-SHA256 Credential=devenv0123/20260101/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=0";

fn admitted() -> Admitted {
    Admitted { keys: ["AKIA1".to_owned()].into(), balancers: ["shop-web".to_owned()].into() }
}

fn knocked(side: Side, method: &str, uri: &str, headers: &[(&str, &str)]) -> Result<Passage, Closed> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name: HeaderName = name.parse().expect("a name");
        map.append(name, HeaderValue::from_str(value).expect("a value"));
    }
    let (method, uri) = (method.parse().expect("a method"), uri.parse().expect("an address"));
    decide(&settings(), &admitted(), &Caller { side, method: &method, uri: &uri, headers: &map })
}

fn outside(method: &str, uri: &str, headers: &[(&str, &str)]) -> Result<Passage, Closed> {
    knocked(Side::Outside, method, uri, &[&[("host", "127.0.0.1:32768")], headers].concat())
}

fn task(method: &str, uri: &str, headers: &[(&str, &str)]) -> Result<Passage, Closed> {
    knocked(Side::Task, method, uri, &[&[("host", "emulated-aws:4566")], headers].concat())
}

fn is_closed(passage: Result<Passage, Closed>) -> bool {
    match passage {
        Err(Closed::Refused(Refusal(why))) => !why.is_empty(),
        _ => false,
    }
}

#[test]
fn from_outside_the_access_key_opens() {
    for (method, uri) in [("GET", "/"), ("POST", "/"), ("PUT", "/shop-state/key"), ("DELETE", "/shop-state/key?x=y")] {
        assert_eq!(outside(method, uri, &[("authorization", SIGNED)]), Ok(Passage::Emulator), "{method} {uri}");
        assert!(is_closed(outside(method, uri, &[])), "{method} {uri}");
    }
    let with = |authorization: &str| outside("POST", "/", &[("authorization", authorization)]);
    assert_eq!(with("AWS4-HMAC-SHA256 Credential=AKIA1/2/3/4/5, Signature=0"), Ok(Passage::Emulator), "one let in");
    for other in [
        "",
        "devenv0123",
        "AWS4-HMAC-SHA256 Credential=devenv/20260101/eu-west-1/s3/aws4_request",
        "AWS4-HMAC-SHA256 Credential=/20260101/eu-west-1/s3/aws4_request",
        "AWS4-HMAC-SHA256 Signature=Credential=devenv0123/",
        "AWS devenv0123:signature",
        "Bearer devenv0123",
        "Basic QVdTOmRldmVudjAxMjM=",
    ] {
        assert!(is_closed(with(other)), "{other}");
    }
    assert!(is_closed(outside("POST", "/", &[("authorization", SIGNED), ("authorization", SIGNED)])), "two of them");
    assert!(is_closed(outside("GET", "/?X-Amz-Credential=devenv0123%2F1", &[])), "an address is no place for a key");
    for admin in ["/_ministack/reset", "/_ministack/config", "/_ministack/health", "/_localstack/info", "/health"] {
        assert!(is_closed(outside("POST", admin, &[])), "{admin}");
    }
    assert_eq!(outside("GET", "/_localstack/health", &[]), Ok(Passage::Emulator));
    assert!(is_closed(outside("POST", "/_localstack/health", &[])));
}

#[test]
fn a_credential_leads_past_no_load_balancer() {
    let other = "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/ecs/aws4_request";
    for knock in [outside, task] {
        for credential in [other, SIGNED, "AWS 123456789012:x"] {
            assert!(is_closed(knock("POST", "/_alb/shop-web/", &[("authorization", credential)])), "{credential}");
        }
        for query in ["X-Amz-Credential=x", "x-amz-credential=x", "X%2DAmz-Credential=x", "AWSAccessKeyId=1"] {
            assert!(is_closed(knock("POST", &format!("/_alb/shop-web/?{query}"), &[])), "{query}");
        }
        let own = knock("GET", "/_alb/shop-web/", &[("authorization", "Bearer x")]);
        assert_eq!(own, Ok(Passage::Emulator), "the login of the application");
    }
}

#[test]
fn a_web_page_reaches_nothing() {
    let login = ("authorization", SIGNED);
    for host in
        ["evil.example.com", "evil.example.com:32768", "127.0.0.1.example.com", "", "0.0.0.0:1", "[::]:1", "a:b:1"]
    {
        let knocked = |headers: &[(&str, &str)]| knocked(Side::Outside, "GET", "/_alb/shop-web/", headers);
        assert!(is_closed(knocked(&[("host", host), login])), "{host}");
    }
    assert!(is_closed(knocked(Side::Outside, "GET", "/", &[login])), "no host");
    let two = [("host", "127.0.0.1"), ("host", "evil.example.com"), login];
    assert!(is_closed(knocked(Side::Outside, "GET", "/", &two)), "two hosts");
    for origin in ["null", "http://evil.example.com", "http://127.0.0.1:1", "https://127.0.0.1:32768"] {
        assert!(is_closed(outside("POST", "/", &[login, ("origin", origin)])), "{origin}");
        assert!(is_closed(outside("POST", "/_alb/shop-web/orders", &[("origin", origin)])), "{origin}");
    }
    for site in ["cross-site", "same-site", ""] {
        assert!(is_closed(outside("GET", "/_alb/shop-web/orders", &[("sec-fetch-site", site)])), "{site}");
    }
    for site in ["same-origin", "none"] {
        let asked = outside("GET", "/_alb/shop-web/orders", &[("sec-fetch-site", site)]);
        assert_eq!(asked, Ok(Passage::Emulator), "{site}");
    }
    let own = [("origin", "http://127.0.0.1:32768")];
    assert_eq!(outside("POST", "/_alb/shop-web/orders", &own), Ok(Passage::Emulator), "the release's own page");
    for host in ["localhost:32768", "[::1]:32768", "127.0.0.1"] {
        assert_eq!(knocked(Side::Outside, "GET", "/", &[("host", host), login]), Ok(Passage::Emulator), "{host}");
    }
}

#[test]
fn another_protocol_or_form_of_a_request_is_refused() {
    let login = ("authorization", SIGNED);
    assert!(is_closed(outside("GET", "/", &[login, ("upgrade", "websocket")])));
    assert!(is_closed(outside("GET", "http://127.0.0.1:32768/", &[login])));
    assert!(is_closed(outside("CONNECT", "127.0.0.1:1", &[login])));
}

#[test]
fn a_load_balancer_is_open_and_nothing_behind_its_path_but_it() {
    for side in [Side::Outside, Side::Task] {
        let host = if side == Side::Task { "emulated-aws:4566" } else { "127.0.0.1:32768" };
        let knocked = |uri: &str| {
            knocked(
                side,
                "POST",
                uri,
                &[("host", host), ("x-amz-target", "AmazonEC2ContainerServiceV20141113.RunTask")],
            )
        };
        for path in ["/_alb/shop-web", "/_alb/shop-web/", "/_alb/shop-web/orders/1?a=b", "/_alb/shop-web/../x"] {
            assert_eq!(knocked(path), Ok(Passage::Emulator), "{path}");
        }
        for path in [
            "/_alb/other/",
            "/_alb/",
            "/_alb//shop-web",
            "/_alb/%73hop-web/",
            "/_alb/shop-web%2f/",
            "/_ALB/shop-web/",
            "//_alb/shop-web/",
        ] {
            assert!(is_closed(knocked(path)), "{path}");
        }
    }
}

#[test]
fn a_task_reaches_tables_queues_and_topics_and_no_more_of_aws() {
    let target = |target: &str| task("POST", "/", &[("x-amz-target", target)]);
    for operation in OF_TABLES {
        assert_eq!(target(&format!("DynamoDB_20120810.{operation}")), Ok(Passage::Emulator), "{operation}");
    }
    for operation in OF_QUEUES {
        assert_eq!(target(&format!("AmazonSQS.{operation}")), Ok(Passage::Emulator), "{operation}");
    }
    let form = ("content-type", "application/x-www-form-urlencoded");
    let publishes =
        ("authorization", "AWS4-HMAC-SHA256 Credential=devenv/20260101/eu-west-1/sns/aws4_request, Signature=0");
    assert_eq!(task("POST", "/", &[form, publishes]), Ok(Passage::Form(FormService::Topics)));
    assert!(is_closed(task("POST", "/", &[form])), "a form without a signature");
    assert!(is_closed(outside("POST", "/", &[form, publishes])), "the other port has its own key");
    for other in [
        "AmazonSQS.CreateQueue",
        "AmazonSQS.DeleteQueue",
        "DynamoDB_20120810.CreateTable",
        "DynamoDB_20120810.DeleteTable",
        "DynamoDB_20120810.ListTables",
        "DynamoDB_20120810.",
        "DynamoDBStreams_20120810.GetRecords",
        "AmazonEC2ContainerServiceV20141113.RunTask",
        "AmazonEC2ContainerServiceV20141113.RegisterTaskDefinition",
        "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken",
        "secretsmanager.GetSecretValue",
        "",
    ] {
        assert!(is_closed(target(other)), "{other}");
        // The rehearsal's own key is for the other port.
        assert!(is_closed(task("POST", "/", &[("x-amz-target", other), ("authorization", SIGNED)])), "{other}");
    }
    let get = ("x-amz-target", "DynamoDB_20120810.GetItem");
    let run = ("x-amz-target", "AmazonEC2ContainerServiceV20141113.RunTask");
    assert!(is_closed(task("POST", "/", &[get, run])), "two targets");
    assert!(is_closed(task("GET", "/", &[get])));
    assert!(is_closed(task("POST", "/?Action=RunInstances", &[get])));
    assert!(is_closed(task("POST", "/_ministack/reset", &[get])));
    assert!(is_closed(task("PUT", "/shop-state/rehearsal/release.tfstate", &[])));
    assert!(is_closed(task("GET", "/v2/", &[])));
    assert!(is_closed(task("GET", "/_localstack/health", &[])));
    assert!(is_closed(knocked(Side::Task, "POST", "/", &[("host", "evil.example.com"), get])));
    assert_eq!(knocked(Side::Task, "POST", "/", &[("host", "172.18.0.2:4566"), get]), Ok(Passage::Emulator));
    let secret = "a".repeat(43);
    for (path, open) in [
        (format!("/v4/{secret}"), true),
        (format!("/v4/{secret}/task"), true),
        (format!("/v4/{secret}/../x"), false),
        ("/v4/short/task".to_owned(), false),
        ("/v2/credentials/1".to_owned(), false),
    ] {
        assert_eq!(task("GET", &path, &[]) == Ok(Passage::Emulator), open, "{path}");
    }
}

#[test]
fn the_registry_asks_for_its_password() {
    let login = |password: &str| format!("Basic {}", STANDARD.encode(format!("AWS:{password}")));
    for path in ["/v2", "/v2/", "/v2/shop/web/manifests/1", "/v2/credentials/1", "/v2/_catalog"] {
        assert_eq!(outside("GET", path, &[]), Err(Closed::AskPassword), "{path}");
        assert_eq!(outside("GET", path, &[("authorization", &login("other"))]), Err(Closed::AskPassword), "{path}");
    }
    let known = |method: &str, path: &str| outside(method, path, &[("authorization", &login("devenv0123"))]);
    for (method, path) in [("GET", "/v2"), ("GET", "/v2/"), ("PUT", "/v2/shop/web/manifests/1")] {
        assert_eq!(known(method, path), Ok(Passage::Registry), "{method} {path}");
    }
    for (method, path) in
        [("DELETE", "/v2/shop/web/manifests/1"), ("GET", "/v2/_catalog"), ("PUT", "/v2/"), ("GET", "/v2/credentials/1")]
    {
        assert!(is_closed(known(method, path)), "{method} {path}");
    }
    assert!(is_closed(outside("GET", "/v20180820/x", &[("authorization", &login("devenv0123"))])));
    let asked = [("authorization", SIGNED), ("x-amz-target", LOGIN_TO_REGISTRY)];
    assert_eq!(outside("POST", "/", &asked), Ok(Passage::Password));
    assert!(is_closed(outside("POST", "/", &asked[1..])));
}

#[test]
fn the_login_alone_lets_others_in() {
    let login = [("authorization", "Bearer devenv0123")];
    assert_eq!(outside("PUT", "/_guard/keys/AKIA2", &login), Ok(Passage::AdmitKey("AKIA2".to_owned())));
    assert_eq!(outside("PUT", "/_guard/balancers/a-b", &login), Ok(Passage::AdmitBalancer("a-b".to_owned())));
    for path in ["/_guard/keys/", "/_guard/keys/a/b", "/_guard/keys/%61", "/_guard/others/a", "/_guard/"] {
        assert!(is_closed(outside("PUT", path, &login)), "{path}");
    }
    assert!(is_closed(outside("GET", "/_guard/keys/AKIA2", &login)));
    assert!(is_closed(outside("PUT", "/_guard/keys/AKIA2", &[("authorization", SIGNED)])));
    assert!(is_closed(outside("PUT", "/_guard/keys/AKIA2", &[("authorization", "Bearer AKIA1")])));
    assert!(is_closed(task("PUT", "/_guard/keys/AKIA2", &login)));
}
