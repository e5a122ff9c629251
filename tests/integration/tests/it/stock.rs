use std::sync::Arc;

use integration::World;

#[tokio::test]
async fn two_hundred_orders_for_the_last_fifty() {
    let world = Arc::new(World::shared().await);
    let product = world.product(9, 50).await;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let (world, product) = (Arc::clone(&world), product.clone());
        calls.spawn(async move { world.order(&product, 1, &world.customer()).await });
    }
    let answers = calls.join_all().await;
    let count = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((count(201), count(400)), (50, 150), "exactly what there was is confirmed, all others are refused");
    assert_eq!(world.stock(&product).await, 0);
    world.keeps_its_promise(&product, 50).await;
}
