//! Orders for tests, and their events.

use order_domain::{Moment, Order, OrderEvent, OrderId, OrderRequest, Status};
use order_reporting::Settlement;
use proptest::prelude::*;

/// The first microsecond of 2026.
const NEW_YEAR: i64 = 1_767_225_600_000_000;

/// Orders of a few products and customers in three days, some of them pending. The identifiers contain what PostgreSQL takes with
/// difficulty.
pub(crate) fn orders(count: impl Into<proptest::collection::SizeRange>) -> impl Strategy<Value = Vec<Order>> {
    let product = prop::sample::select(vec!["PROD001", "a\\0", "a\0", "é", "'; DROP TABLE days"]);
    let customer = prop::sample::select(vec!["CUST001", "\0", "\\", "\u{10ffff}"]);
    let status = prop::sample::select(vec![Status::Confirmed, Status::Confirmed, Status::Rejected, Status::Pending]);
    let hour = 0_i64..72;
    let order = (product, customer, 1..=1_000_000_u64, 0..=9_007_199_254_u64, status, hour);
    prop::collection::vec(order, count).prop_map(|orders| {
        orders
            .into_iter()
            .map(|(product, customer, quantity, price, status, hour)| {
                let time = Moment::from_microseconds(NEW_YEAR + hour * 3_600_000_000).expect("in range");
                Order {
                    order_id: OrderId::generate(),
                    request: OrderRequest { product_id: product.into(), quantity, customer_id: customer.into() },
                    status,
                    total_price: (status == Status::Confirmed).then_some(quantity * price),
                    processed_at: (status != Status::Pending).then_some(time),
                    created_at: time,
                }
            })
            .collect()
    })
}

/// Returns one order, settled now.
pub(crate) fn order(product: &str, customer: &str, quantity: u64, total_price: Option<u64>) -> Order {
    let now = Moment::now();
    Order {
        order_id: OrderId::generate(),
        request: OrderRequest { product_id: product.into(), quantity, customer_id: customer.into() },
        status: if total_price.is_some() { Status::Confirmed } else { Status::Rejected },
        total_price,
        processed_at: Some(now),
        created_at: now,
    }
}

/// Returns an order that was settled at a given time.
pub(crate) fn order_at(product: &str, customer: &str, quantity: u64, total_price: Option<u64>, time: &str) -> Order {
    let processed_at = Some(time.parse().expect("a moment"));
    Order { processed_at, ..order(product, customer, quantity, total_price) }
}

/// Returns the messages of the settled ones.
pub(crate) fn messages(orders: &[Order]) -> Vec<String> {
    orders.iter().filter_map(|order| Some(OrderEvent::of(order.clone())?.to_json().expect("JSON"))).collect()
}

/// Returns the events of the settled ones.
pub(crate) fn settlements(orders: &[Order]) -> Vec<Settlement> {
    messages(orders).iter().map(|message| Settlement::read(message).expect("an event")).collect()
}
