use serde::Serialize;

use crate::request::MAX_QUANTITY;

/// The highest unit price: with the largest quantity, the total stays below 2^53 and thus exact in every JSON reader.
pub const MAX_UNIT_PRICE: u64 = (1 << 53) / MAX_QUANTITY;

/// The price of one item, in whole units of currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct UnitPrice(u64);

/// An invalid price in the inventory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("price {price} is outside 0..={MAX_UNIT_PRICE}")]
pub struct PriceError {
    price: i128,
}

impl UnitPrice {
    pub fn new(price: i128) -> Result<Self, PriceError> {
        u64::try_from(price).ok().filter(|price| *price <= MAX_UNIT_PRICE).map(Self).ok_or(PriceError { price })
    }

    pub fn get(self) -> u64 {
        self.0
    }

    /// Returns the price of `quantity` items. It cannot overflow: the price is bounded, and the quantity is clamped here.
    #[must_use]
    pub fn times(self, quantity: u64) -> u64 {
        self.0 * quantity.min(MAX_QUANTITY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_bounded() {
        assert!(UnitPrice::new(-1).is_err());
        assert!(UnitPrice::new(0).is_ok());
        assert!(UnitPrice::new(i128::from(MAX_UNIT_PRICE)).is_ok());
        assert!(UnitPrice::new(i128::from(MAX_UNIT_PRICE) + 1).is_err());
        assert!(UnitPrice::new(i128::MAX).is_err());
    }

    proptest::proptest! {
        #[test]
        fn a_total_is_exact(price in 0..=MAX_UNIT_PRICE, quantity in 1..=MAX_QUANTITY) {
            let total = UnitPrice::new(i128::from(price)).expect("in range").times(quantity);
            proptest::prop_assert_eq!(u128::from(total), u128::from(price) * u128::from(quantity));
            proptest::prop_assert!(total <= 1 << 53);
        }
    }
}
