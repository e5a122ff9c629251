use std::fmt;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{Moment, OrderId, identity::hexadecimal};

/// The place after a page's last order, as text for the client: `microseconds-id-check`, safe in a URL.
///
/// The check ties a cursor to its customer and detects damage. It is not a secret: a cursor protects a customer's list no
/// better than the `customer_id` does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    pub created_at: Moment,
    pub order_id: OrderId,
    check: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Cursor is malformed or belongs to another customer")]
pub struct CursorError;

impl Cursor {
    pub fn after(customer_id: &str, created_at: Moment, order_id: OrderId) -> Self {
        let mut hash = Sha256::new();
        hash.update(created_at.as_microseconds().to_be_bytes());
        hash.update(order_id.as_bytes());
        hash.update(customer_id);
        Self { created_at, order_id, check: hexadecimal(&hash.finalize()[..8]) }
    }

    pub fn parse(text: &str, customer_id: &str) -> Result<Self, CursorError> {
        let read = || {
            let mut parts = text.splitn(3, '-');
            let created_at = Moment::from_microseconds(parts.next()?.parse().ok()?)?;
            let order_id = OrderId::from_uuid(Uuid::try_parse(parts.next()?).ok()?);
            let cursor = Self::after(customer_id, created_at, order_id);
            (cursor.check == parts.next()?).then_some(cursor)
        };
        read().ok_or(CursorError)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}-{}", self.created_at.as_microseconds(), self.order_id.simple(), self.check)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_is_its_customers_alone(customer in "\\PC{1,20}", other in "\\PC{1,20}", microseconds in 0_i64..4_000_000_000_000_000) {
            let moment = Moment::from_microseconds(microseconds).expect("in range");
            let cursor = Cursor::after(&customer, moment, OrderId::generate());
            let text = cursor.to_string();
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
            prop_assert_eq!(Cursor::parse(&text, &customer), Ok(cursor));
            if customer != other {
                prop_assert_eq!(Cursor::parse(&text, &other), Err(CursorError));
            }
        }

        #[test]
        fn garbage_is_refused(text in "\\PC{0,80}") {
            prop_assert_eq!(Cursor::parse(&text, "C"), Err(CursorError));
        }
    }
}
