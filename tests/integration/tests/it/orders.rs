//! An order is placed and read back.

use integration::{order, undisturbed};
use reqwest_tls::Method;

/// The oldest test of this system, from before the services were rewritten.
#[test]
fn an_order_for_prod001_is_placed_and_read_back() {
    undisturbed(async |environment| {
        // Seeding never restores stock, and this test may have run many times on the same data.
        if environment.tables.stock("PROD001").await < 2 {
            environment.tables.restock("PROD001", 100).await;
        }
        let placed = environment.api.post("/orders/", &order("PROD001", 2, &environment.customer())).await;
        insta::assert_json_snapshot!(placed.redacted());
        let read = environment.api.get(placed.header("location").expect("a 201 has a Location")).await;
        assert_eq!((read.status, &read.body), (200, &placed.body), "expected the order as it was answered");
    });
}

#[test]
fn both_spellings_of_a_path_are_the_same() {
    undisturbed(async |environment| {
        let (product, customer) = (environment.product(10).await, environment.customer());
        for path in ["/orders", "/orders/"] {
            let placed = environment.api.post(path, &order(&product, 3, &customer)).await;
            let location = format!("/orders/{}", placed.order_id());
            assert_eq!((placed.status, placed.header("location")), (201, Some(location.as_str())), "POST {path}");
            for spelling in [location.clone(), format!("{location}/")] {
                let read = environment.api.get(&spelling).await;
                assert_eq!((read.status, &read.body), (200, &placed.body), "GET {spelling}");
            }
            let listed = environment.api.get(&format!("{path}?customer_id={customer}")).await;
            assert_eq!(listed.status, 200, "GET {path}");
        }
        assert_eq!(
            environment.tables.stock(&product).await,
            4,
            "expected two orders of three items to be taken from ten"
        );
    });
}

#[test]
fn a_refused_order_is_kept_as_rejected() {
    undisturbed(async |environment| {
        let (product, customer) = (environment.product(1).await, environment.customer());
        let refused = environment.api.place(&order(&product, 2, &customer)).await;
        assert_eq!(refused.failure(), (400, "Insufficient inventory"));
        let orders = environment.orders_of(&product).await.expect("the table answers");
        assert_eq!(orders.len(), 1);
        let read = environment.api.get(&format!("/orders/{}", orders[0].order_id)).await;
        insta::assert_json_snapshot!(read.redacted());
        assert_eq!(environment.tables.stock(&product).await, 1, "expected a refusal to take nothing");
    });
}

#[test]
fn the_largest_order_is_a_million_items() {
    undisturbed(async |environment| {
        let (product, customer) = (environment.product(1_000_000).await, environment.customer());
        let too_large = environment.api.place(&order(&product, 1_000_001, &customer)).await;
        assert_eq!(too_large.status, 422, "expected a quantity over 1,000,000 to be refused: {too_large:?}");
        let largest = environment.api.place(&order(&product, 1_000_000, &customer)).await;
        assert_eq!((largest.status, &largest.body["total_price"]), (201, &7_000_000.into()));
        assert_eq!(environment.tables.stock(&product).await, 0);
    });
}

#[test]
fn a_body_of_64_kib_is_read_and_a_larger_one_is_413() {
    undisturbed(async |environment| {
        let product = environment.product(1).await;
        let body = order(&product, 1, &environment.customer()).to_string();
        let padded = |length: usize| format!("{body}{}", " ".repeat(length - body.len()));
        let post = async |body: String| {
            let request = environment.api.request(Method::POST, "/orders").header("content-type", "application/json");
            environment.api.send(request.body(body)).await
        };
        insta::assert_json_snapshot!(post(padded(64 * 1024 + 1)).await.redacted());
        assert_eq!(post(padded(64 * 1024)).await.status, 201, "expected a body of exactly 64 KiB to be read");
    });
}

#[test]
fn any_traceparent_is_taken() {
    undisturbed(async |environment| {
        let product = environment.product(10).await;
        for value in ["00-11111111111111111111111111111111-2222222222222222-01", "00-0-0-00", "nonsense", ""] {
            let body = order(&product, 1, &environment.customer());
            let request = environment.api.request(Method::POST, "/orders").header("traceparent", value).json(&body);
            let placed = environment.api.send(request).await;
            assert_eq!(placed.status, 201, "expected a trace header never to decide about an order: {value:?}");
        }
    });
}
