use integration::{Queue, REPORTING_CONSUMER, REPORTING_DATABASE, alone, eventually, order};

use crate::figures::REPORTED;

/// The messages would be hidden from the next consumer for a minute.
#[test]
#[expect(clippy::print_stdout, reason = "a notice")]
fn a_consumer_that_ends_in_an_outage_of_the_database_gives_its_messages_back() {
    alone(async |environment| {
        if environment.units.functions().await.contains(REPORTING_CONSUMER) {
            println!("not of a function: its mapping leaves a failed message to the visibility timeout");
            return;
        }
        let (reports, queue) = (environment.reports(), Queue::new(&environment.settings, "reporting"));
        let (product, customer) = (environment.product(1).await, environment.customer());
        environment.units.stop(REPORTING_DATABASE).await;
        let placed = environment.api.place(&order(&product, 1, &customer)).await;
        assert_eq!(placed.status, 201, "{placed:?}");
        eventually("the consumer has the message", REPORTED, async || match queue.depth().await?.in_flight {
            0 => Err("nobody has it".to_owned()),
            _ => Ok(()),
        })
        .await;
        environment.units.stop(REPORTING_CONSUMER).await;
        assert_eq!(queue.depth().await.map(|depth| depth.in_flight), Ok(0));
        environment.units.start(REPORTING_DATABASE).await;
        environment.units.start(REPORTING_CONSUMER).await;
        eventually("the order is in its customer's report", REPORTED, async || {
            let report = reports.get(&format!("/reports/customers/{customer}")).await;
            if report.status == 200 { Ok(()) } else { Err(format!("{}: {}", report.status, report.body)) }
        })
        .await;
    });
}
