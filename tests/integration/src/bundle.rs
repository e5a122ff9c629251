use serde_json::{Value, json};

use crate::Environment;

/// Leaves what a failed test knows in the folder that the settings name: its last exchanges with the services, and the
/// items of its products, their orders and their ledger entries.
pub(crate) async fn write(environment: &Environment, test: &str, failure: &str) {
    let Some(folder) = &environment.settings.bundle else { return };
    let mut products = Vec::new();
    for product_id in environment.journal.products() {
        products.push(json!({
            "product_id": product_id,
            "item": found(environment.tables.product_item(&product_id).await),
            "orders": found(environment.tables.items_of_product("orders", &product_id).await.map(Value::from)),
            "reservations": found(environment.tables.items_of_product("reservations", &product_id).await.map(Value::from)),
        }));
    }
    let known = json!({
        "test": test,
        "failure": failure,
        "products": products,
        "exchanges": environment.journal.exchanges(),
    });
    let path = folder.join(format!("{}.json", test.replace("::", "-")));
    // The failure itself is reported in any case; a full disk must not hide it.
    let _ = fs_err::create_dir_all(folder);
    let _ = fs_err::write(path, format!("{known:#}\n"));
}

fn found(items: Result<Value, String>) -> Value {
    items.unwrap_or_else(|reason| json!({ "not read": reason }))
}
