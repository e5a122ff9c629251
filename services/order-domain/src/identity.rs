use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::{NoContext, Timestamp, Uuid};

use crate::OrderRequest;

/// The namespace of order ids from idempotency keys. With another namespace, a retry would order twice.
const ORDER_NAMESPACE: Uuid = Uuid::from_u128(0x6d0f_1f0a_53c7_5f0e_9b0e_5b1d_2a64_c0de);

/// The partitions of the sparse indexes `pending` and `unpublished`.
pub const SHARDS: u8 = 8;

/// The id of an order, written as a lower-case hyphenated UUID.
///
/// No code may rely on the sequence of ids: `created_at` is the time of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderId(Uuid);

impl OrderId {
    /// Returns a new id of version 7: ids of the same time are adjacent, so that a database on disk writes few pages.
    ///
    /// Each id reads the clock anew. The usual generator of version 7 never goes back: after the clock jumped ahead, every
    /// id would be in the future until a restart.
    pub fn generate() -> Self {
        Self::generated_at(Timestamp::now(NoContext))
    }

    fn generated_at(time: Timestamp) -> Self {
        Self(Uuid::new_v7(time))
    }

    /// Returns the unique id for this customer's `key`.
    pub fn for_key(customer_id: &str, key: &IdempotencyKey) -> Self {
        // The length prefix distinguishes ("ab", "c") from ("a", "bc").
        let name = format!("{}:{customer_id}{}", customer_id.len(), key.0);
        Self(Uuid::new_v5(&ORDER_NAMESPACE, name.as_bytes()))
    }

    /// Reads the canonical spelling of an id; any other spelling of a UUID names no order.
    pub fn parse(text: &str) -> Option<Self> {
        let id = Uuid::try_parse(text).ok()?;
        let mut buffer = Uuid::encode_buffer();
        (id.hyphenated().encode_lower(&mut buffer) == text).then_some(Self(id))
    }

    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// Returns the unique id of `name` among those derived from this order.
    pub(crate) fn derive(self, name: &str) -> Uuid {
        Uuid::new_v5(&self.0, name.as_bytes())
    }

    pub(crate) fn simple(self) -> uuid::fmt::Simple {
        self.0.simple()
    }

    pub(crate) fn from_uuid(id: Uuid) -> Self {
        Self(id)
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(formatter)
    }
}

/// The value of an `Idempotency-Key` header: 1 to 255 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Idempotency-Key should be 1 to 255 visible ASCII characters")]
pub struct IdempotencyKeyError;

impl IdempotencyKey {
    pub fn new(value: &[u8]) -> Result<Self, IdempotencyKeyError> {
        if value.is_empty() || value.len() > 255 || !value.iter().all(u8::is_ascii_graphic) {
            return Err(IdempotencyKeyError);
        }
        String::from_utf8(value.to_vec()).map(Self).map_err(|_| IdempotencyKeyError)
    }
}

/// Distinguishes two requests with the same order id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestHash(String);

impl RequestHash {
    pub fn of(request: &OrderRequest) -> Self {
        let mut hash = Sha256::new();
        for text in [&request.product_id, &request.customer_id] {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
        hash.update(request.quantity.to_be_bytes());
        Self(hexadecimal(&hash.finalize()))
    }
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]])
        .map(char::from)
        .collect()
}

/// Returns the partition of this order in a sparse index.
pub fn shard(order_id: OrderId) -> String {
    // The sum of all bytes is evenly distributed, despite the version's fixed bits.
    let sum = order_id.as_bytes().iter().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(*byte));
    shard_name(sum % SHARDS)
}

pub fn shard_name(shard: u8) -> String {
    shard.to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn key(text: &str) -> IdempotencyKey {
        IdempotencyKey::new(text.as_bytes()).expect("valid key")
    }

    #[test]
    fn an_id_from_a_key_never_changes() {
        // A change here would make a retry across a release order twice.
        assert_eq!(
            OrderId::for_key("CUST001", &key("k-1")).to_string(),
            OrderId::for_key("CUST001", &key("k-1")).to_string()
        );
        insta::assert_snapshot!(OrderId::for_key("CUST001", &key("k-1")));
        let request = OrderRequest { product_id: "PROD001".into(), quantity: 2, customer_id: "CUST001".into() };
        insta::assert_json_snapshot!(RequestHash::of(&request));
    }

    #[test]
    fn customer_and_key_do_not_run_together() {
        assert_ne!(OrderId::for_key("ab", &key("c")), OrderId::for_key("a", &key("bc")));
        assert_ne!(OrderId::for_key("1:a", &key("b")), OrderId::for_key("1", &key(":ab")));
    }

    #[test]
    fn only_the_canonical_spelling_is_an_id() {
        let id = OrderId::generate().to_string();
        assert!(OrderId::parse(&id).is_some());
        for other in
            [id.to_uppercase().replace('0', "A"), id.replace('-', ""), format!("{{{id}}}"), "x".into(), String::new()]
        {
            assert_eq!(OrderId::parse(&other), None, "{other}");
        }
    }

    #[test]
    fn an_id_does_not_stay_in_the_future_after_the_clock_is_set_back() {
        let (seconds, nanoseconds) = Timestamp::now(NoContext).to_unix();
        let ahead = OrderId::generated_at(Timestamp::from_unix(NoContext, seconds + 900, nanoseconds));
        assert!(OrderId::generate().as_bytes() < ahead.as_bytes());
        let ids: Vec<String> = (0..100).map(|_| OrderId::generate().to_string()).collect();
        assert!(!ids.is_sorted(), "a counter that only goes up would sort the ids of one millisecond");
    }

    #[test]
    fn keys_are_visible_ascii() {
        assert!(IdempotencyKey::new(b"").is_err());
        assert!(IdempotencyKey::new(b"a b").is_err());
        assert!(IdempotencyKey::new("é".as_bytes()).is_err());
        assert!(IdempotencyKey::new(&[b'k'; 255]).is_ok());
        assert!(IdempotencyKey::new(&[b'k'; 256]).is_err());
    }

    #[test]
    fn shards_are_even() {
        let mut counts = BTreeMap::<String, u32>::new();
        for _ in 0..8_000 {
            *counts.entry(shard(OrderId::generate())).or_default() += 1;
        }
        assert_eq!(counts.len(), usize::from(SHARDS));
        assert!(counts.values().all(|count| (700..1_300).contains(count)), "{counts:?}");
    }

    proptest! {
        #[test]
        fn different_requests_have_different_hashes(left in "[a-c]{1,3}", right in "[a-c]{1,3}", quantity in 1_u64..3) {
            let one = OrderRequest { product_id: left.clone(), quantity, customer_id: right.clone() };
            let other = OrderRequest { product_id: right.clone(), quantity, customer_id: left.clone() };
            prop_assert_eq!(RequestHash::of(&one) == RequestHash::of(&other), left == right);
        }
    }
}
