use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::errors;
use crate::front::error::ApiError;

/// What a receipt handle stands for: one receive of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Receipt {
    pub(crate) queue: i64,
    /// The message's row. Rows are used again, so the message's id belongs to it.
    pub(crate) row: i64,
    pub(crate) receives: i64,
    pub(crate) message_id: String,
}

const LENGTH: usize = 3 * 8 + 16;

impl Receipt {
    pub(crate) fn encode(&self) -> String {
        let mut bytes = Vec::with_capacity(LENGTH);
        for number in [self.queue, self.row, self.receives] {
            bytes.extend(number.to_be_bytes());
        }
        bytes.extend(uuid::Uuid::try_parse(&self.message_id).unwrap_or_default().as_bytes());
        STANDARD.encode(bytes)
    }

    /// Reads a handle of this queue.
    pub(crate) fn decode(handle: &str, queue: i64) -> Result<Self, ApiError> {
        let invalid = || errors::not_a_receipt(handle);
        let bytes: [u8; LENGTH] =
            STANDARD.decode(handle).ok().and_then(|bytes| bytes.try_into().ok()).ok_or_else(invalid)?;
        let number = |at: usize| {
            let mut part = [0; 8];
            part.copy_from_slice(&bytes[at..at + 8]);
            i64::from_be_bytes(part)
        };
        let message_id = uuid::Uuid::from_slice(&bytes[24..]).map_err(|_| invalid())?.to_string();
        let receipt = Self { queue: number(0), row: number(8), receives: number(16), message_id };
        if receipt.queue == queue { Ok(receipt) } else { Err(invalid()) }
    }
}
