//! The content of messages: limits, attributes, digests.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::errors;
use crate::front::error::ApiError;

const MOST_ATTRIBUTES: usize = 10;
const LONGEST_NAME: usize = 256;
const LONGEST_TYPE: usize = 256;
/// A number has at most 38 significant digits, from -10^128 to 10^126.
const DIGITS: usize = 38;
const EXPONENTS: std::ops::RangeInclusive<i64> = -128..=126;
/// Bytes that are compared at a time.
const CHUNK: usize = 64;

/// A message to be put into a queue.
#[derive(Debug, Clone, Default)]
pub(crate) struct NewMessage {
    pub(crate) body: String,
    /// Message attributes: from a name to `DataType` and `StringValue` or `BinaryValue` (base64).
    pub(crate) attributes: Map<String, Value>,
    /// The system attribute `AWSTraceHeader`.
    pub(crate) trace: Option<String>,
    pub(crate) group: Option<String>,
    pub(crate) deduplication: Option<String>,
    /// Seconds; `None` for the queue's own delay.
    pub(crate) delay: Option<i64>,
}

impl NewMessage {
    /// Bytes that count towards the limits.
    pub(crate) fn size(&self) -> usize {
        size(&self.body, &self.attributes)
    }

    /// Refuses what no queue takes.
    pub(crate) fn check(&self) -> Result<(), ApiError> {
        if self.body.is_empty() {
            return Err(ApiError::missing_parameter("MessageBody"));
        }
        if !is_clean(&self.body) {
            return Err(errors::invalid_contents());
        }
        check_attributes(&self.attributes)
    }
}

/// Bytes of a body, and of the names, types and values of attributes.
pub(crate) fn size(body: &str, attributes: &Map<String, Value>) -> usize {
    let attribute = |(name, value): (&String, &Value)| {
        let (kind, content) = parts(value);
        name.len() + kind.len() + content.map_or(0, Content::size)
    };
    body.len() + attributes.iter().map(attribute).sum::<usize>()
}

/// Whether a text has the characters of XML 1.0 alone. Most texts are ASCII, which is looked through quickly: without an early end in a chunk,
/// the compiler compares many bytes at a time.
fn is_clean(text: &str) -> bool {
    let is_plain = |chunk: &[u8]| chunk.iter().fold(true, |plain, byte| plain & (b' '..=b'~').contains(byte));
    text.as_bytes().chunks(CHUNK).all(is_plain) || text.chars().all(is_allowed)
}

fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..='\u{10FFFF}')
}

#[derive(Debug, Clone, Copy)]
enum Content<'a> {
    Text(&'a str),
    /// Base64.
    Binary(&'a str),
}

impl Content<'_> {
    fn size(self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(encoded) => STANDARD.decode(encoded).map_or(0, |bytes| bytes.len()),
        }
    }
}

fn parts(value: &Value) -> (&str, Option<Content<'_>>) {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let content = text("StringValue").map(Content::Text).or_else(|| text("BinaryValue").map(Content::Binary));
    (text("DataType").unwrap_or_default(), content)
}

/// Checks message attributes, those of topics too.
pub(crate) fn check_attributes(attributes: &Map<String, Value>) -> Result<(), ApiError> {
    if attributes.len() > MOST_ATTRIBUTES {
        return Err(ApiError::invalid_parameter(format!(
            "Number of message attributes [{}] exceeds the allowed maximum [{MOST_ATTRIBUTES}].",
            attributes.len()
        )));
    }
    attributes.iter().try_for_each(|(name, value)| check_attribute(name, value))
}

fn check_attribute(name: &str, value: &Value) -> Result<(), ApiError> {
    let refused = |reason: &str| Err(ApiError::invalid_parameter(format!("The message attribute '{name}' {reason}")));
    let lower = name.to_ascii_lowercase();
    if !(1..=LONGEST_NAME).contains(&name.len())
        || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
        || name.starts_with('.')
        || name.ends_with('.')
        || name.contains("..")
        || lower.starts_with("aws.")
        || lower.starts_with("amazon.")
    {
        return refused(
            "has an invalid name: use letters, digits, '_', '-' and single inner '.', at most 256, and neither AWS. nor Amazon. in front.",
        );
    }
    if value.get("StringListValues").is_some() || value.get("BinaryListValues").is_some() {
        return refused("has a list of values, which Amazon SQS does not support.");
    }
    let (kind, content) = parts(value);
    let (base, label) = kind.split_once('.').unwrap_or((kind, "-"));
    if kind.len() > LONGEST_TYPE || label.is_empty() {
        return refused("has an invalid message attribute type.");
    }
    match (base, content) {
        ("", _) => refused("must contain a non-empty message attribute type."),
        ("String" | "Number", Some(Content::Text(""))) | ("Binary", Some(Content::Binary(""))) | (_, None) => {
            refused(&format!("must contain a non-empty message attribute value for message attribute type '{base}'."))
        }
        ("String", Some(Content::Text(text))) if is_clean(text) => Ok(()),
        ("String", Some(Content::Text(_))) => Err(errors::invalid_contents()),
        ("Number", Some(Content::Text(text))) if is_number(text) => Ok(()),
        ("Number", Some(Content::Text(text))) => Err(ApiError::invalid_parameter(format!(
            "Can't cast the value of message (user) attribute '{name}' to a number: {text}."
        ))),
        ("Binary", Some(Content::Binary(encoded))) if STANDARD.decode(encoded).is_ok() => Ok(()),
        ("Binary", Some(Content::Binary(_))) => refused("has a binary value that is not base64."),
        ("String" | "Number" | "Binary", Some(_)) => refused(&format!(
            "with type '{kind}' must use field '{}'.",
            if base == "Binary" { "Binary" } else { "String" }
        )),
        _ => refused(&format!(
            "has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String: {kind}."
        )),
    }
}

/// Whether a text is a decimal number within AWS's range and precision.
fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_matches('0').len();
    let Ok(exponent) = exponent.parse::<i64>() else { return false };
    let before = i64::try_from(whole.trim_start_matches('0').len()).unwrap_or(i64::MAX);
    !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && significant <= DIGITS
        && EXPONENTS.contains(&before.saturating_add(exponent))
}

/// The MD5 of a body, in hexadecimal.
pub(crate) fn md5_of_body(body: &str) -> String {
    hexadecimal(md5::compute(body))
}

/// The MD5 of attributes, as AWS documents it: in the order of their names, each part after its length, and one byte for the
/// kind of the value.
pub(crate) fn md5_of_attributes(attributes: &Map<String, Value>) -> String {
    let mut sorted: Vec<_> = attributes.iter().collect();
    sorted.sort_by_key(|(name, _)| *name);
    let mut digest = md5::Context::new();
    for (name, value) in sorted {
        let (kind, content) = parts(value);
        digest_part(&mut digest, name.as_bytes());
        digest_part(&mut digest, kind.as_bytes());
        match content {
            Some(Content::Text(text)) => {
                digest.consume([1]);
                digest_part(&mut digest, text.as_bytes());
            }
            Some(Content::Binary(encoded)) => {
                digest.consume([2]);
                digest_part(&mut digest, &STANDARD.decode(encoded).unwrap_or_default());
            }
            None => {}
        }
    }
    hexadecimal(digest.compute())
}

fn hexadecimal(digest: md5::Digest) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = |byte: u8| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
    digest.0.into_iter().flat_map(digits).map(char::from).collect()
}

fn digest_part(digest: &mut md5::Context, bytes: &[u8]) {
    digest.consume(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    digest.consume(bytes);
}
