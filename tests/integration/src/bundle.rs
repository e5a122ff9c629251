use serde_json::{Value, json};

use crate::Environment;

/// Orders to keep of each product.
const MOST_ORDERS: usize = 200;

/// Writes a failed test's file into the bundle's folder: its last exchanges with the services, and the items of its
/// products, their orders and their ledger entries.
pub(crate) async fn write(environment: &Environment, test: &str, failure: &str) {
    let Some(folder) = &environment.settings.bundle else { return };
    let customers = environment.journal.customers();
    let mut products = Vec::new();
    for product_id in environment.journal.products() {
        let orders = environment.tables.plain_orders(&product_id, &customers).await;
        let orders = orders.map(|mut orders| {
            // Pending orders first: they are most likely at fault.
            orders.sort_by_key(|order| order["status"] != "pending");
            orders.truncate(MOST_ORDERS);
            orders
        });
        let mut ledger = Vec::new();
        for order in orders.as_deref().unwrap_or_default() {
            let order_id = order["order_id"].as_str().unwrap_or_default();
            ledger.push(found(environment.tables.ledger_item(order_id).await));
        }
        products.push(json!({
            "product_id": product_id,
            "item": found(environment.tables.product_item(&product_id).await),
            "orders": found(orders.map(Value::from)),
            "reservations": ledger,
        }));
    }
    let known = json!({
        "test": test,
        "failure": failure,
        "products": products,
        "exchanges": environment.journal.exchanges(),
    });
    let path = folder.join(format!("{}.json", test.replace("::", "-")));
    // Ignore errors, such as a full disk: they must not hide the test's own failure.
    let _ = fs_err::create_dir_all(folder);
    let _ = fs_err::write(path, format!("{known:#}\n"));
}

fn found(items: Result<Value, String>) -> Value {
    items.unwrap_or_else(|reason| json!({ "not read": reason }))
}
