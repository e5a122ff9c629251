use std::{collections::HashMap, time::Duration};

use uuid::Uuid;

use crate::{Environment, StoredOrder, Tally, eventually};

/// Time for all orders to be settled after a disturbance: order-api takes up orders older than 7 s every 3 s, and another
/// test may disturb it once or twice meanwhile. Counting the orders of a long run also takes time.
const SETTLED_LIMIT: Duration = Duration::from_mins(2);

/// Waits until no order for these products is in flight, and asserts the contract: no order and no stock is ever lost.
/// `products` are ids and initial stocks.
pub async fn nothing_is_lost(environment: &Environment, products: &[(String, u64)], tally: &Tally) {
    let mut orders = HashMap::new();
    for (product_id, initial) in products {
        let what = format!(
            "no order of {product_id} is pending, and its initial stock ({initial}) = stock + the sum of its confirmed quantities"
        );
        let settled = eventually(&what, SETTLED_LIMIT, async || settled(environment, product_id, *initial).await).await;
        orders.extend(settled.into_iter().map(|order| (order.order_id, order.status)));
    }
    let status = |order_id: &Uuid| orders.get(order_id).map_or("missing", String::as_str);
    for order_id in &tally.confirmed {
        let status = status(order_id);
        assert_eq!(
            status, "confirmed",
            "expected every order that was answered with 201 to be confirmed: {order_id} is {status}"
        );
    }
    for order_id in &tally.unsettled {
        let status = status(order_id);
        // A 503 may come before the pending order is written; a written order must be settled.
        assert!(
            ["confirmed", "rejected", "missing"].contains(&status),
            "expected every order that was answered with 503 or 504 to be settled by now: {order_id} is {status}"
        );
    }
    let confirmed = orders.values().filter(|status| *status == "confirmed").count();
    assert!(
        confirmed >= tally.confirmed.len(),
        "expected each of {} answers with 201 to be for an order of its own; {confirmed} are confirmed",
        tally.confirmed.len()
    );
}

/// Waits until no order of a product is pending.
pub async fn nothing_is_pending(environment: &Environment, product_id: &str) {
    eventually("no order is left pending after the reconciler's time", SETTLED_LIMIT, async || {
        let orders = environment.orders_of(product_id).await?;
        match orders.iter().filter(|order| order.status == "pending").count() {
            0 => Ok(()),
            pending => Err(format!("{pending} of {} are pending", orders.len())),
        }
    })
    .await;
}

async fn settled(environment: &Environment, product_id: &str, initial: u64) -> Result<Vec<StoredOrder>, String> {
    let orders = environment.orders_of(product_id).await?;
    let pending: Vec<Uuid> =
        orders.iter().filter(|order| order.status == "pending").map(|order| order.order_id).collect();
    // At the first order that is still pending, stop: it is too early to look at all of them again.
    for order_id in &pending {
        if environment.tables.status(*order_id).await?.as_deref() == Some("pending") {
            return Err(format!("{} of {} orders are pending, among them {order_id}", pending.len(), orders.len()));
        }
    }
    if !pending.is_empty() {
        return Err("pending orders have just been settled".to_owned());
    }
    let stock = environment.tables.find_stock(product_id).await?;
    let ledger = environment.tables.ledger_of(&orders).await?;
    let (confirmed, reserved) = (confirmed(&orders), confirmed(&ledger));
    if stock + confirmed != initial {
        return Err(format!("stock {stock} + confirmed {confirmed} = {}, which is not {initial}", stock + confirmed));
    }
    if confirmed != reserved {
        return Err(format!("the ledger has {reserved} items confirmed, the orders have {confirmed}"));
    }
    Ok(orders)
}

fn confirmed(orders: &[StoredOrder]) -> u64 {
    orders.iter().filter(|order| order.status == "confirmed").map(|order| order.quantity).sum()
}
