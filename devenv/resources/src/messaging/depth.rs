//! The number of messages in a queue.

use super::queue_service::Attributes;

/// SQS's approximate numbers of messages; exact in an emulator that nobody uses meanwhile.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Depth {
    pub visible: u64,
    /// Received and not yet deleted.
    pub in_flight: u64,
    pub delayed: u64,
}

impl Depth {
    pub(super) fn of(attributes: &Attributes) -> Self {
        let number = |name: &str| attributes.get(name).and_then(|text| text.parse().ok()).unwrap_or_default();
        Self {
            visible: number("ApproximateNumberOfMessages"),
            in_flight: number("ApproximateNumberOfMessagesNotVisible"),
            delayed: number("ApproximateNumberOfMessagesDelayed"),
        }
    }

    pub fn total(self) -> u64 {
        self.visible + self.in_flight + self.delayed
    }
}
