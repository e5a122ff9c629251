//! The images that a rehearsal may use: those of its own registry.

use crate::refusal::Refusal;
use crate::settings::Settings;

/// An image of the rehearsal's own registry: what else this machine's engine holds is none of the emulator's business.
pub(crate) fn image(settings: &Settings, reference: &str) -> Result<String, Refusal> {
    let path = reference.strip_prefix(settings.registry.as_str()).and_then(|rest| rest.strip_prefix('/'));
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-:@".contains(&byte);
    let begins = |part: &str| part.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if path.is_some_and(|path| path.bytes().all(is_plain) && path.split('/').all(begins)) {
        return Ok(reference.to_owned());
    }
    Err(Refusal::new(format!("{reference} is no image of this rehearsal's registry, {}", settings.registry)))
}
