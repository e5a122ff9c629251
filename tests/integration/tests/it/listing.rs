use std::time::Duration;

use integration::{World, eventually};
use serde_json::{Value, json};

/// Places `count` orders and waits until the list, which is eventually consistent, has them all. Newest first.
async fn placed(world: &World, customer: &str, count: usize) -> Vec<String> {
    let product = world.product(1, 1000).await;
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.push(world.order(&product, 1, customer).await.text("order_id"));
    }
    ids.reverse();
    let path = format!("/orders?customer_id={customer}&limit=100");
    eventually("the list has every order", Duration::from_secs(10), || async {
        (ids_of(&world.get(&path).await.body).len() == count).then_some(())
    })
    .await;
    ids
}

fn ids_of(page: &Value) -> Vec<String> {
    let orders = page["orders"].as_array().expect("a list of orders");
    orders.iter().map(|order| order["order_id"].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test]
async fn pages_are_complete_newest_first_and_without_doubles() {
    let world = World::shared().await;
    let customer = world.customer();
    let expected = placed(&world, &customer, 25).await;
    for limit in [1, 7, 25, 100] {
        let mut seen = Vec::new();
        let mut path = format!("/orders?customer_id={customer}&limit={limit}");
        loop {
            let page = world.get(&path).await;
            assert_eq!(page.status, 200, "{page:?}");
            let ids = ids_of(&page.body);
            assert!(ids.len() <= limit);
            seen.extend(ids);
            match page.body["next_cursor"].as_str() {
                Some(cursor) => path = format!("/orders?customer_id={customer}&limit={limit}&cursor={cursor}"),
                None => break,
            }
        }
        assert_eq!(seen, expected, "limit {limit}");
    }
}

#[tokio::test]
async fn a_page_holds_twenty_unless_told_otherwise() {
    let world = World::shared().await;
    let customer = world.customer();
    placed(&world, &customer, 21).await;
    let page = world.get(&format!("/orders?customer_id={customer}")).await;
    assert_eq!(ids_of(&page.body).len(), 20);
    assert!(page.body["next_cursor"].is_string());
}

#[tokio::test]
async fn a_stranger_has_an_empty_list() {
    let world = World::shared().await;
    let page = world.get(&format!("/orders?customer_id={}", world.customer())).await;
    assert_eq!(page.body, json!({ "orders": [], "next_cursor": null }));
}

#[tokio::test]
async fn a_query_that_does_not_fit() {
    let world = World::shared().await;
    let (customer, other) = (world.customer(), world.customer());
    placed(&world, &other, 2).await;
    let first = world.get(&format!("/orders?customer_id={other}&limit=1")).await;
    let foreign = first.text("next_cursor");
    for query in [
        String::new(),
        "customer_id=".to_owned(),
        format!("customer_id={customer}&limit=0"),
        format!("customer_id={customer}&limit=101"),
        format!("customer_id={customer}&limit=many"),
        format!("customer_id={customer}&cursor=rubbish"),
        format!("customer_id={customer}&cursor={foreign}"),
    ] {
        let answer = world.get(&format!("/orders?{query}")).await;
        assert_eq!(answer.status, 422, "{query}: {answer:?}");
    }
}
