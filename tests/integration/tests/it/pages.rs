//! A customer's orders, page by page.

use std::time::Duration;

use integration::{Answer, Environment, eventually, order, undisturbed};
use serde_json::Value;

/// Time for the list to catch up: it is eventually consistent.
const CAUGHT_UP: Duration = Duration::from_secs(10);

async fn page(environment: &Environment, customer: &str, rest: &str) -> Answer {
    environment.api.get(&format!("/orders?customer_id={customer}{rest}")).await
}

fn orders(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "expected a page: {answer:?}");
    answer.body["orders"].as_array().expect("a page has orders").clone()
}

fn ids(orders: &[Value]) -> Vec<String> {
    orders.iter().map(|order| order["order_id"].as_str().unwrap_or_default().to_owned()).collect()
}

/// Places orders one after the other and returns them newest first, once the list has them all.
async fn placed(environment: &Environment, customer: &str, count: usize) -> Vec<Value> {
    let product = environment.product(1_000).await;
    let mut all = Vec::new();
    for quantity in 1..=count {
        let body = order(&product, u64::try_from(quantity % 3 + 1).expect("small"), customer);
        let placed = environment.api.place(&body).await;
        assert_eq!(placed.status, 201);
        all.insert(0, placed.body);
    }
    eventually("the list has every order of its customer", CAUGHT_UP, async || {
        let listed = orders(&page(environment, customer, "&limit=100").await).len();
        if listed == count { Ok(()) } else { Err(format!("{listed} of {count}")) }
    })
    .await;
    all
}

/// Reads all pages from a cursor on.
async fn pages(environment: &Environment, customer: &str, limit: usize, mut cursor: Option<String>) -> Vec<Value> {
    let mut all = Vec::new();
    // More pages than possible mean that the cursors loop.
    for _ in 0..200 {
        let rest = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let answer = page(environment, customer, &format!("&limit={limit}{rest}")).await;
        let orders = orders(&answer);
        assert!(orders.len() <= limit, "expected at most {limit} orders on a page, got {}", orders.len());
        all.extend(orders);
        cursor = answer.body["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            return all;
        }
    }
    panic!("expected the cursors to come to an end");
}

#[test]
fn pages_are_complete_newest_first_and_without_duplicates() {
    undisturbed(async |environment| {
        let customer = environment.customer();
        let all = placed(environment, &customer, 23).await;
        for limit in [1, 10, 23, 100] {
            let listed = pages(environment, &customer, limit, None).await;
            assert_eq!(listed, all, "expected every order once, newest first, as it was answered (limit {limit})");
        }
        let default = page(environment, &customer, "").await;
        assert_eq!(ids(&orders(&default)), ids(&all[..20]), "expected 20 orders on a page by default");
        assert!(default.body["next_cursor"].is_string(), "expected a cursor, since there are more");
    });
}

#[test]
fn a_page_and_its_orders_have_the_shape_of_the_contract() {
    undisturbed(async |environment| {
        let (customer, product) = (environment.customer(), environment.product(1).await);
        environment.api.place(&order(&product, 1, &customer)).await;
        environment.api.place(&order(&product, 1, &customer)).await;
        let list = eventually("the list has both orders", CAUGHT_UP, async || {
            let list = page(environment, &customer, "").await;
            if orders(&list).len() == 2 { Ok(list) } else { Err(format!("{list:?}")) }
        })
        .await;
        insta::assert_json_snapshot!(list.redacted());
    });
}

#[test]
fn a_new_order_does_not_move_the_pages_behind_a_cursor() {
    undisturbed(async |environment| {
        let customer = environment.customer();
        let all = placed(environment, &customer, 6).await;
        let first = page(environment, &customer, "&limit=2").await;
        let cursor = first.body["next_cursor"].as_str().map(str::to_owned);
        placed_one_more(environment, &customer, 7).await;
        let rest = pages(environment, &customer, 2, cursor).await;
        assert_eq!(ids(&rest), ids(&all[2..]), "expected the pages to go on where the first ended");
    });
}

async fn placed_one_more(environment: &Environment, customer: &str, then: usize) {
    let product = environment.product(1).await;
    environment.api.place(&order(&product, 1, customer)).await;
    eventually("the list has the new order too", CAUGHT_UP, async || {
        let listed = orders(&page(environment, customer, "").await).len();
        if listed == then { Ok(()) } else { Err(format!("{listed} of {then}")) }
    })
    .await;
}

#[test]
fn a_customer_without_orders_has_an_empty_page() {
    undisturbed(async |environment| {
        let answer = page(environment, &environment.customer(), "").await;
        assert_eq!((answer.status, &answer.body), (200, &serde_json::json!({ "orders": [], "next_cursor": null })));
    });
}

#[test]
fn a_cursor_that_is_malformed_or_of_another_customer_is_422() {
    undisturbed(async |environment| {
        let (customer, other) = (environment.customer(), environment.customer());
        placed(environment, &customer, 2).await;
        let first = page(environment, &customer, "&limit=1").await;
        let cursor = first.body["next_cursor"].as_str().expect("there are more").to_owned();
        assert_eq!(page(environment, &customer, &format!("&cursor={cursor}")).await.status, 200);
        insta::assert_json_snapshot!(page(environment, &other, &format!("&cursor={cursor}")).await.redacted());
        let mut damaged = cursor.clone();
        damaged.replace_range(..1, if cursor.starts_with('9') { "8" } else { "9" });
        for bad in
            ["", "x", &cursor[1..], &cursor[..cursor.len() - 1], &format!("{cursor}0"), &damaged, "%00", "%C3%A9"]
        {
            let answer = page(environment, &customer, &format!("&cursor={bad}")).await;
            assert_eq!(answer.status, 422, "expected a malformed cursor to be 422: {bad:?} gave {answer:?}");
        }
    });
}

#[test]
fn a_query_that_does_not_fit_is_422() {
    undisturbed(async |environment| {
        let mut answers = std::collections::BTreeMap::new();
        for query in [
            "",
            "?limit=5",
            "?customer_id=",
            "?customer_id=a&limit=0",
            "?customer_id=a&limit=-1",
            "?customer_id=a&limit=101",
            "?customer_id=a&limit=ten",
            "?customer_id=a&limit=1.5",
            "?customer_id=a&limit=",
            "?customer_id=a&limit=99999999999999999999",
        ] {
            let answer = environment.api.get(&format!("/orders{query}")).await;
            assert_eq!(answer.status, 422, "expected limit 1 to 100 and a customer: {query} gave {answer:?}");
            answers.insert(query, answer.body);
        }
        insta::assert_json_snapshot!(answers);
    });
}
