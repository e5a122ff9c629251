use std::time::{Duration, Instant};

use integration::{Environment, PRICE, Service, eventually, order, undisturbed};
use serde_json::Value;

use crate::figures::{Figures, REPORTED, of_product};

/// The orders of the measurement.
const MEASURED: usize = 50;

#[test]
fn a_settled_order_is_in_its_reports_at_once() {
    undisturbed(async |environment| {
        let reports = environment.reports();
        let (product, customer) = (environment.product(3).await, environment.customer());
        let path = format!("/reports/customers/{customer}");
        assert_eq!(reports.get(&path).await.status, 404, "expected no figures before the first order");
        let mut expected = Figures::default();
        for quantity in [1, 2, 5] {
            let placed = environment.api.place(&order(&product, quantity, &customer)).await;
            if quantity == 5 {
                assert_eq!(placed.status, 400, "{placed:?}");
                (expected.rejected_orders, expected.rejected_quantity) = (1, 5);
            } else {
                assert_eq!(placed.status, 201, "{placed:?}");
                expected.confirmed_orders += 1;
                expected.confirmed_quantity += quantity;
                expected.revenue += quantity * PRICE;
            }
            eventually("the order is in its customer's report", REPORTED, async || {
                let report = reports.get(&path).await;
                let is_there = report.status == 200 && Figures::of_report(&report.body) == expected;
                if is_there { Ok(()) } else { Err(format!("{}: {}", report.status, report.body)) }
            })
            .await;
        }
        assert_eq!(of_product(&reports, &product).await, Ok(expected));
        let daily = reports.get("/reports/daily").await;
        assert!(daily.body["days"].as_array().is_some_and(|days| !days.is_empty()), "{daily:?}");
    });
}

#[test]
#[expect(clippy::print_stdout, reason = "a figure")]
fn the_time_from_an_order_to_its_report_is_short() {
    undisturbed(async |environment| {
        let (reports, product) = (environment.reports(), environment.product(1_000_000).await);
        let mut times = Vec::new();
        for _ in 0..MEASURED {
            times.push(reported(environment, &reports, &product).await);
        }
        times.sort();
        let at = |hundredths: usize| times[(times.len() - 1) * hundredths / 100];
        println!("from an order to its report: p50 {:?}, p90 {:?}, at most {:?}", at(50), at(90), at(100));
    });
}

/// The time from an order of a new customer to the customer's report.
async fn reported(environment: &Environment, reports: &Service, product: &str) -> Duration {
    let customer = environment.customer();
    let path = format!("/reports/customers/{customer}");
    let began = Instant::now();
    let placed = environment.api.place(&order(product, 1, &customer)).await;
    assert_eq!(placed.status, 201, "{placed:?}");
    loop {
        let report = reports.get(&path).await;
        if report.status == 200 {
            assert_eq!(report.body["confirmed_orders"], Value::from(1), "{report:?}");
            return began.elapsed();
        }
        assert!(began.elapsed() < REPORTED, "expected the order to be in its report within {REPORTED:?}: {report:?}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
