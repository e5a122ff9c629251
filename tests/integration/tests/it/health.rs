//! The probes for people, load balancers and smoke tests.

use std::collections::BTreeMap;

use integration::undisturbed;

#[test]
fn every_probe_answers_on_both_services() {
    undisturbed(async |environment| {
        let mut answers = BTreeMap::new();
        for (service, name) in [(&environment.api, "order-api"), (&environment.processor, "order-processor")] {
            for path in ["/health", "/health/", "/livez", "/readyz"] {
                answers.insert(format!("{name} {path}"), service.get(path).await.redacted());
            }
        }
        insta::assert_json_snapshot!(answers);
    });
}

#[test]
fn a_release_says_what_it_is() {
    undisturbed(async |environment| {
        for service in [&environment.api, &environment.processor] {
            let answer = service.get("/version").await;
            assert_eq!(answer.status, 200);
            let fields: Vec<&String> = answer.body.as_object().expect("an object").keys().collect();
            assert_eq!(fields, ["commit", "image", "version"]);
            assert!(
                answer.body["version"].as_str().is_some_and(|version| version.split('.').count() == 3),
                "expected a version such as 0.1.0: {}",
                answer.body
            );
        }
    });
}
