use bollard::errors::Error;
use devenv_containers::engine::{HostError, HostErrorKind};

/// Converts the engine's error on `action` into devenv's own.
pub(crate) fn failed(action: impl Into<String>) -> impl FnOnce(Error) -> HostError {
    let action = action.into();
    move |error| {
        let (kind, cause) = read(&error);
        HostError { action, cause, kind }
    }
}

pub(crate) fn is_absent(error: &Error) -> bool {
    matches!(error, Error::DockerResponseServerError { status_code: 404, .. })
}

/// Whether the state is already as requested: the container runs, or is stopped.
pub(crate) fn is_unchanged(error: &Error) -> bool {
    matches!(error, Error::DockerResponseServerError { status_code: 304, .. })
}

fn read(error: &Error) -> (HostErrorKind, String) {
    let (status, message) = match error {
        Error::DockerResponseServerError { status_code, message } => (Some(*status_code), message.trim().to_owned()),
        Error::DockerStreamError { error } => (None, error.trim().to_owned()),
        Error::RequestTimeoutError => (None, "the engine does not answer".to_owned()),
        Error::IOError { err } => return (HostErrorKind::Unreachable, err.to_string()),
        Error::HyperResponseError { .. } | Error::HyperLegacyError { .. } => {
            return (HostErrorKind::Unreachable, "the engine stopped answering".to_owned());
        }
        other => (None, other.to_string()),
    };
    let kind = if message.contains("port is already allocated") || message.contains("address already in use") {
        HostErrorKind::PortTaken
    } else if message.contains("no space left on device") {
        HostErrorKind::DiskFull
    } else {
        match status {
            Some(404) => HostErrorKind::NotFound,
            Some(409) => HostErrorKind::Conflict,
            None if matches!(error, Error::RequestTimeoutError) => HostErrorKind::Unreachable,
            _ => HostErrorKind::Other,
        }
    };
    (kind, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(status_code: u16, message: &str) -> HostErrorKind {
        failed("start x")(Error::DockerResponseServerError { status_code, message: message.to_owned() }).kind
    }

    #[test]
    fn what_can_be_acted_on_is_told_apart() {
        let port = "driver failed: Bind for 127.0.0.1:8001 failed: port is already allocated";
        assert_eq!(kind(500, port), HostErrorKind::PortTaken);
        let proxy = "listen tcp4 127.0.0.1:8001: bind: address already in use";
        assert_eq!(kind(500, proxy), HostErrorKind::PortTaken);
        assert_eq!(kind(500, "write /blob: no space left on device"), HostErrorKind::DiskFull);
        assert_eq!(kind(404, "no such image"), HostErrorKind::NotFound);
        assert_eq!(kind(409, "in use"), HostErrorKind::Conflict);
        assert_eq!(kind(500, "anything"), HostErrorKind::Other);
    }
}
