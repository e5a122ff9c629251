use order_reporting::database::{MIGRATIONS, MigrateError, Migration, with_migrations};

use crate::postgres::Postgres;

async fn versions(postgres: &Postgres) -> Vec<i64> {
    let rows = postgres.client().await.query("SELECT version FROM schema_migrations ORDER BY version", &[]).await;
    rows.expect("the table is there").iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn migrations_run_once_whoever_runs_them() {
    let postgres = Postgres::empty().await;
    let mut clients = Vec::new();
    for _ in 0..4 {
        clients.push(postgres.client().await);
    }
    let mut tasks = tokio::task::JoinSet::new();
    for mut client in clients {
        tasks.spawn(async move { with_migrations(&mut client, MIGRATIONS).await.expect("one waits for the other") });
    }
    let applied = tasks.join_all().await;
    assert_eq!(applied.concat(), ["0001_figures"], "{applied:?}");
    assert_eq!(versions(&postgres).await, [1]);
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_failed_migration_changes_nothing() {
    let postgres = Postgres::empty().await;
    let mut client = postgres.client().await;
    let good = Migration { name: "0001_good", sql: "CREATE TABLE good ()" };
    let bad = Migration { name: "0002_bad", sql: "CREATE TABLE half (); SELECT no_such_column" };
    let error = with_migrations(&mut client, &[good, bad]).await.expect_err("the second fails");
    assert!(matches!(error, MigrateError::Failed { name: "0002_bad", .. }), "{error}");
    for table in ["good", "half", "schema_migrations"] {
        let found = client.query_one("SELECT to_regclass($1::text)::text", &[&table]).await.expect("a row");
        assert_eq!(found.get::<_, Option<String>>(0), None, "{table}");
    }
    let more = Migration { name: "0002_more", sql: "CREATE TABLE more ()" };
    assert_eq!(with_migrations(&mut client, &[good]).await, Ok(vec!["0001_good"]));
    assert_eq!(with_migrations(&mut client, &[good, more]).await, Ok(vec!["0002_more"]));
    assert_eq!(versions(&postgres).await, [1, 2]);
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_newer_database_is_refused() {
    let postgres = Postgres::start().await;
    let mut client = postgres.client().await;
    let next = i64::try_from(MIGRATIONS.len()).expect("few") + 1;
    client.execute("INSERT INTO schema_migrations VALUES ($1, 'later')", &[&next]).await.expect("inserted");
    let refused = with_migrations(&mut client, MIGRATIONS).await.expect_err("newer");
    assert_eq!(refused, MigrateError::Newer { database: next, known: next - 1 });
    assert!(refused.to_string().contains("run a newer order-reporting"), "{refused}");
}
