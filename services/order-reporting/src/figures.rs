//! The figures of orders, computed without a database: what a batch adds to the stored figures, and in tests the figures that all
//! orders together must have.

use std::{collections::BTreeMap, ops::AddAssign};

use order_domain::Order;
use serde::Serialize;

use crate::{
    day::Day,
    event::{Outcome, Settlement},
};

/// The figures of some orders.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    pub confirmed_orders: u64,
    pub rejected_orders: u64,
    /// The items of confirmed orders.
    pub confirmed_quantity: u64,
    /// The items that rejected orders asked for.
    pub rejected_quantity: u64,
    /// The total price of confirmed orders, in whole units of currency.
    pub revenue: u128,
}

/// The figures of each product, each customer and everything, on each day.
///
/// The sequence of the keys is that of the rows that a transaction changes: transactions at the same time then wait for each
/// other and never in a circle.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    pub products: BTreeMap<(String, Day), Tally>,
    pub customers: BTreeMap<(String, Day), Tally>,
    pub days: BTreeMap<Day, Tally>,
}

impl Tally {
    fn of(settlement: &Settlement) -> Self {
        let quantity = settlement.quantity;
        match settlement.outcome {
            Outcome::Confirmed { total_price } => Self {
                confirmed_orders: 1,
                confirmed_quantity: quantity,
                revenue: total_price.into(),
                ..Self::default()
            },
            Outcome::Rejected => Self { rejected_orders: 1, rejected_quantity: quantity, ..Self::default() },
        }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.confirmed_orders += other.confirmed_orders;
        self.rejected_orders += other.rejected_orders;
        self.confirmed_quantity += other.confirmed_quantity;
        self.rejected_quantity += other.rejected_quantity;
        self.revenue += other.revenue;
    }
}

impl Figures {
    /// Returns the figures of events, each counted as often as it is given.
    pub fn of<'event>(settlements: impl IntoIterator<Item = &'event Settlement>) -> Self {
        let mut figures = Self::default();
        for settlement in settlements {
            let tally = Tally::of(settlement);
            let (product, customer, day) = (&settlement.product_id, &settlement.customer_id, settlement.day);
            *figures.products.entry((product.clone(), day)).or_default() += tally;
            *figures.customers.entry((customer.clone(), day)).or_default() += tally;
            *figures.days.entry(day).or_default() += tally;
        }
        figures
    }

    /// Returns the figures that these orders must have in the reports; a pending order has none yet.
    pub fn of_orders<'order>(orders: impl IntoIterator<Item = &'order Order>) -> Self {
        let settlements: Vec<Settlement> =
            orders.into_iter().filter_map(|order| Settlement::of_order(order.clone())).collect();
        Self::of(&settlements)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::tests::order;
    use order_domain::Status;

    #[test]
    fn orders_add_up_by_product_customer_and_day() {
        let orders = [
            order("P1", "C1", 2, Status::Confirmed, 58, "2026-01-01T23:59:59Z"),
            order("P1", "C2", 1, Status::Confirmed, 29, "2026-01-02T00:00:00Z"),
            order("P2", "C1", 500, Status::Rejected, 0, "2026-01-02T10:00:00Z"),
            order("P2", "C1", 7, Status::Pending, 0, "2026-01-02T10:00:00Z"),
        ];
        let figures = Figures::of_orders(&orders);
        let (first, second) = ("2026-01-01".parse().expect("a day"), "2026-01-02".parse().expect("a day"));
        let confirmed = |orders, quantity, revenue| Tally {
            confirmed_orders: orders,
            confirmed_quantity: quantity,
            revenue,
            ..Tally::default()
        };
        let rejected = Tally { rejected_orders: 1, rejected_quantity: 500, ..Tally::default() };
        let products = [
            (("P1".into(), first), confirmed(1, 2, 58)),
            (("P1".into(), second), confirmed(1, 1, 29)),
            (("P2".into(), second), rejected),
        ];
        assert_eq!(figures.products, BTreeMap::from(products));
        let customers = [
            (("C1".into(), first), confirmed(1, 2, 58)),
            (("C1".into(), second), rejected),
            (("C2".into(), second), confirmed(1, 1, 29)),
        ];
        assert_eq!(figures.customers, BTreeMap::from(customers));
        let both = Tally { rejected_orders: 1, rejected_quantity: 500, ..confirmed(1, 1, 29) };
        assert_eq!(figures.days, BTreeMap::from([(first, confirmed(1, 2, 58)), (second, both)]));
    }
}
