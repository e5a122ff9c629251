use std::time::Duration;

use integration::{PRICE, Service, StoredOrder};
use reqwest_tls::Method;
use serde_json::Value;

/// Time for an order to be in its report while every unit runs.
pub(crate) const REPORTED: Duration = Duration::from_secs(5);

/// The figures of a product or a customer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) confirmed_orders: u64,
    pub(crate) rejected_orders: u64,
    pub(crate) confirmed_quantity: u64,
    pub(crate) rejected_quantity: u64,
    pub(crate) revenue: u64,
}

impl Figures {
    pub(crate) fn of_orders(orders: &[StoredOrder]) -> Self {
        let mut figures = Self::default();
        for order in orders {
            match order.status.as_str() {
                "confirmed" => {
                    figures.confirmed_orders += 1;
                    figures.confirmed_quantity += order.quantity;
                    figures.revenue += order.quantity * PRICE;
                }
                "rejected" => {
                    figures.rejected_orders += 1;
                    figures.rejected_quantity += order.quantity;
                }
                _ => {}
            }
        }
        figures
    }

    pub(crate) fn of_report(report: &Value) -> Self {
        let number = |key: &str| report[key].as_u64().unwrap_or_else(|| panic!("expected {key} in {report}"));
        Self {
            confirmed_orders: number("confirmed_orders"),
            rejected_orders: number("rejected_orders"),
            confirmed_quantity: number("confirmed_quantity"),
            rejected_quantity: number("rejected_quantity"),
            revenue: number("revenue"),
        }
    }
}

/// The figures of a product, from the pages of all products.
pub(crate) async fn of_product(reports: &Service, product: &str) -> Result<Figures, String> {
    let mut cursor = String::new();
    loop {
        let request = reports.request(Method::GET, &format!("/reports/products?limit=100{cursor}"));
        let page = reports.try_send(request).await?;
        if page.status != 200 {
            return Err(format!("{}: {}", page.status, page.body));
        }
        let products = page.body["products"].as_array().cloned().unwrap_or_default();
        if let Some(report) = products.iter().find(|report| report["product_id"] == product) {
            return Ok(Figures::of_report(report));
        }
        match page.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(Figures::default()),
        }
    }
}
