use order_reporting::database::{DatabaseSettings, MigrateError, Store, migrate};
use order_service::config::Environment;
use order_testing::aws_config;

use crate::postgres::Postgres;

fn settings(url: &str, authority: &str) -> DatabaseSettings {
    let pairs = [("DATABASE_URL", url), ("DATABASE_CA", authority), ("AWS_REGION", "eu-west-1")];
    DatabaseSettings::read(&Environment::of_pairs(&pairs)).expect("settings")
}

/// Returns the reason for which a new connection fails.
async fn refused(settings: &DatabaseSettings) -> String {
    let store = Store::new(settings, &aws_config(), 1).expect("a store");
    store.answers().await.expect_err("no connection").reason
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn tls_is_for_a_server_with_a_certificate_for_its_name() {
    let (postgres, certificate) = Postgres::with_tls().await;
    let url = format!("{}?sslmode=require", postgres.url_at("127.0.0.1"));
    let migrated = migrate(&settings(&url, &certificate), &aws_config()).await;
    assert_eq!(migrated, Ok::<_, MigrateError>(vec!["0001_figures"]));
    let store = Store::new(&settings(&url, &certificate), &aws_config(), 1).expect("a store");
    assert_eq!(store.answers().await, Ok(()));

    let unknown = refused(&settings(&url, "")).await;
    assert!(unknown.contains("UnknownIssuer"), "{unknown}");
    let other_name = format!("{}?sslmode=require", postgres.url_at("localhost"));
    let other_name = refused(&settings(&other_name, &certificate)).await;
    assert!(other_name.contains("not valid for name"), "{other_name}");
    let plain = refused(&settings(&postgres.url_at("127.0.0.1"), "")).await;
    assert!(plain.contains("no encryption"), "{plain}");
}
