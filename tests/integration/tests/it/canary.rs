//! Smoke tests: a promotion runs these against its new release, which customers use already.

use integration::{CANARY, order, shared};

/// A customer id that no real customer has.
const CUSTOMER: &str = "canary";

#[test]
fn an_order_is_placed_and_read_back() {
    shared(async |api| {
        let placed = api.place(&order(CANARY, 1, CUSTOMER)).await;
        assert_eq!(placed.status, 201, "expected the order to be placed: {placed:?}");
        assert_eq!((&placed.body["status"], &placed.body["product_id"]), (&"confirmed".into(), &CANARY.into()));
        let read = api.get(&format!("/orders/{}", placed.order_id())).await;
        assert_eq!((read.status, &read.body), (200, &placed.body), "expected the order as it was answered");
    });
}

#[test]
fn a_repeated_order_is_one_order() {
    shared(async |api| {
        let key = uuid::Uuid::new_v4().to_string();
        let first = api.place_with_key(&order(CANARY, 1, CUSTOMER), &key).await;
        let again = api.place_with_key(&order(CANARY, 1, CUSTOMER), &key).await;
        assert_eq!((first.status, again.status), (201, 201), "expected both to be answered: {again:?}");
        assert_eq!(first.order_id(), again.order_id(), "expected one order for one key");
    });
}

#[test]
fn what_is_wrong_is_refused() {
    shared(async |api| {
        let nothing = api.place(&order("no-such-product", 1, CUSTOMER)).await;
        assert_eq!(nothing.status, 404, "expected an unknown product to be refused: {nothing:?}");
        let zero = api.place(&order(CANARY, 0, CUSTOMER)).await;
        assert_eq!(zero.status, 422, "expected a quantity of nothing to be refused: {zero:?}");
        let unknown = api.get("/orders/00000000-0000-7000-8000-000000000000").await;
        assert_eq!(unknown.status, 404, "expected an unknown order not to be found: {unknown:?}");
    });
}

#[test]
fn its_health_reaches_through() {
    shared(async |api| {
        let health = api.get("/health").await;
        assert_eq!(health.status, 200, "expected the release and all it depends on to be usable: {health:?}");
    });
}
