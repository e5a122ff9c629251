use std::fmt;

use futures_util::future::BoxFuture;

use crate::CloudError;

/// Objects in buckets (S3).
pub trait Objects: Send + Sync + fmt::Debug {
    fn get<'a>(&'a self, bucket: &'a str, key: &'a str) -> BoxFuture<'a, Result<Option<Object>, CloudError>>;
    /// Writes the object if the condition holds; otherwise the error is a [conflict](crate::CloudErrorKind::Conflict). Returns the new ETag.
    fn put<'a>(
        &'a self,
        bucket: &'a str,
        key: &'a str,
        content: Vec<u8>,
        condition: Condition,
    ) -> BoxFuture<'a, Result<String, CloudError>>;
    /// The objects directly below a prefix that ends with `/`: their names without it, in order.
    fn files<'a>(&'a self, bucket: &'a str, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, CloudError>>;
    /// The folders directly below a prefix that ends with `/`: their names, in order.
    fn folders<'a>(&'a self, bucket: &'a str, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, CloudError>>;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    pub content: Vec<u8>,
    pub etag: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Only if no object exists.
    Absent,
    /// Only over the object with this ETag.
    Matches(String),
}
