use std::time::Duration;

use futures_util::future::join_all;
use order_testing::{Fault, IN_STOCK, OTHER_IN_STOCK};
use reqwest::StatusCode;
use uuid::Uuid;

use crate::emulators::on_every_emulator;
use crate::system::System;

const TRANSACTION: &str = "TransactWriteItems";

on_every_emulator!(the_first_answer_to_an_order_holds, async |system: System| {
    let [taken, refused, unknown] = [(); 3].map(|()| Uuid::new_v4());
    let confirmed = system.process(taken, IN_STOCK, 4).await;
    assert_eq!(confirmed.0, StatusCode::OK);
    let too_many = system.process(refused, IN_STOCK, 97).await;
    assert_eq!(too_many.0, StatusCode::BAD_REQUEST);
    let no_product = system.process(unknown, "LATER", 1).await;
    assert_eq!(no_product.0, StatusCode::NOT_FOUND);

    system.emulator.put_product(IN_STOCK, 31, 1000).await;
    system.emulator.put_product("LATER", 1, 1000).await;
    assert_eq!(system.process(taken, IN_STOCK, 4).await, confirmed);
    assert_eq!(system.process(refused, IN_STOCK, 97).await, too_many);
    assert_eq!(system.process(unknown, "LATER", 1).await, no_product);
    assert_eq!(system.process(taken, OTHER_IN_STOCK, 4).await.0, StatusCode::CONFLICT);
    assert_eq!(system.emulator.stock(IN_STOCK).await, 1000);
    assert_eq!(system.emulator.stock("LATER").await, 1000);
    assert_eq!(system.emulator.stock(OTHER_IN_STOCK).await, 50);
});

on_every_emulator!(concurrent_calls_for_one_order_agree, async |system: System| {
    for quantity in [5, 500] {
        let order_id = Uuid::new_v4();
        let answers = join_all((0..20).map(|_| system.process(order_id, IN_STOCK, quantity))).await;
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    }
    assert_eq!(system.emulator.stock(IN_STOCK).await, 95);
});

on_every_emulator!(a_transaction_whose_answer_was_lost_takes_stock_once, async |system: System| {
    system.emulator.fail_next(TRANSACTION, Fault::LoseAnswer);
    let (status, body) = system.process(Uuid::new_v4(), IN_STOCK, 1).await;
    assert_eq!((status, body["total_price"].as_u64()), (StatusCode::OK, Some(29)), "{body}");
    assert_eq!(system.emulator.faults_left(), 0);
    assert_eq!(system.emulator.stock(IN_STOCK).await, 99);
});

on_every_emulator!(a_transaction_is_made_at_the_price_of_its_moment, async |system: System| {
    // The service reads the price before the held transaction, whose condition then no longer holds.
    let held = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
    system.emulator.fail_next(TRANSACTION, Fault::Hold(held.clone()));
    let ordered = system.process(Uuid::new_v4(), IN_STOCK, 2);
    let changed = async {
        order_testing::eventually("the transaction", Duration::from_secs(10), async || {
            (system.emulator.faults_left() == 0).then_some(())
        })
        .await;
        system.emulator.put_product(IN_STOCK, 40, 100).await;
        held.add_permits(1);
    };
    let ((status, body), ()) = futures_util::future::join(ordered, changed).await;
    assert_eq!((status, body["total_price"].as_u64()), (StatusCode::OK, Some(80)), "{body}");
    assert_eq!(system.emulator.stock(IN_STOCK).await, 98);
});
