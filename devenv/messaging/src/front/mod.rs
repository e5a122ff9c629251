pub(crate) mod call;
pub(crate) mod error;
pub(crate) mod json;
pub(crate) mod query;
pub(crate) mod reply;
pub(crate) mod request;
pub(crate) mod xml;
