//! Names, URLs and ARNs of queues. Its name alone identifies a queue: the account is fixed, and the region only appears in the ARN.

use super::errors;
use crate::front::error::ApiError;

/// The account of everything that is emulated.
pub(crate) const ACCOUNT: &str = "000000000000";
const LONGEST: usize = 80;
const FIFO: &str = ".fifo";

pub(crate) fn is_fifo(name: &str) -> bool {
    name.ends_with(FIFO)
}

pub(crate) fn is_valid(name: &str) -> bool {
    let stem = name.strip_suffix(FIFO).unwrap_or(name);
    (1..=LONGEST).contains(&name.len())
        && !stem.is_empty()
        && stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

pub(crate) fn url(base: &str, name: &str) -> String {
    format!("{base}/{ACCOUNT}/{name}")
}

/// The name in a queue's URL. The host may be any, because a container and a process reach the same queue by different ones.
pub(crate) fn of_url(url: &str) -> Result<&str, ApiError> {
    let invalid = || errors::invalid_address(url);
    let (scheme, rest) = url.split_once("://").ok_or_else(invalid)?;
    let (_, path) = rest.split_once('/').ok_or_else(invalid)?;
    let (account, name) = path.trim_end_matches('/').split_once('/').ok_or_else(invalid)?;
    if !matches!(scheme, "http" | "https") || !is_valid(name) {
        return Err(invalid());
    }
    if account == ACCOUNT { Ok(name) } else { Err(errors::no_queue()) }
}

pub(crate) fn arn(region: &str, name: &str) -> String {
    format!("arn:aws:sqs:{region}:{ACCOUNT}:{name}")
}

/// The name in a queue's ARN, whatever its region; `None` for any other ARN.
pub(crate) fn of_arn(arn: &str) -> Option<&str> {
    let mut parts = arn.splitn(6, ':');
    let head = [parts.next()?, parts.next()?, parts.next()?];
    let (_region, account, name) = (parts.next()?, parts.next()?, parts.next()?);
    (head == ["arn", "aws", "sqs"] && account == ACCOUNT && is_valid(name)).then_some(name)
}
