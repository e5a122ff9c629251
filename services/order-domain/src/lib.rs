//! The types and rules of an order, shared by order-api and order-processor. No HTTP, no database, no clock but
//! [`Moment::now`].

mod cursor;
mod event;
mod identity;
mod invalid;
mod moment;
mod money;
mod order;
mod processing;
mod request;

pub use cursor::{Cursor, CursorError};
pub use event::{EVENT_VERSION, EventKind, OrderEvent, event_json};
pub use identity::{IdempotencyKey, IdempotencyKeyError, OrderId, RequestHash, SHARDS, shard, shard_name};
pub use invalid::{Invalid, Location};
pub use moment::Moment;
pub use money::{MAX_UNIT_PRICE, PriceError, UnitPrice};
pub use order::{Order, Refusal, Status};
pub use processing::{Confirmation, ProcessRequest};
pub use request::{MAX_QUANTITY, MAX_TEXT, OrderRequest};
