use super::arn::TopicArn;

/// The reason a topic took none of the messages, or may have taken none.
#[derive(Debug, Clone, thiserror::Error)]
#[error("PublishBatch to {topic}: {cause}")]
pub struct TopicError {
    pub topic: TopicArn,
    pub cause: TopicCause,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TopicCause {
    /// No connection, or a broken one: the topic may have the messages.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// No answer in time: the topic may have the messages.
    #[error("no answer in time")]
    Timeout,
    /// The service failed or refused for now.
    #[error("refused for now: {0}")]
    Busy(String),
    /// The topic is absent, or this program may not publish to it.
    #[error("{0}; check that the topic exists and that this program may publish to it")]
    Closed(String),
    /// The messages are at fault, at least one of them.
    #[error("the messages are refused: {0}")]
    Messages(String),
}

impl TopicCause {
    /// Reads an answer that is no success.
    pub(super) fn of(status: u16, code: &str, message: &str) -> Self {
        let text = format!("{status} {code}: {message}");
        match code {
            "NotFound"
            | "AuthorizationError"
            | "AccessDenied"
            | "InvalidClientTokenId"
            | "SignatureDoesNotMatch"
            | "ExpiredToken"
            | "IncompleteSignature"
            | "MissingAuthenticationToken"
            | "OptInRequired" => Self::Closed(text),
            code if code.starts_with("Throttl") || code.starts_with("KMSThrottl") => Self::Busy(text),
            code if code.starts_with("KMS") => Self::Closed(text),
            _ if status == 413 => Self::Messages(text),
            _ if (400..500).contains(&status) && status != 408 && status != 429 && !code.is_empty() => {
                Self::Messages(text)
            }
            _ => Self::Busy(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_messages_are_told_from_a_closed_topic() {
        for (status, code, messages, closed) in [
            (400, "InvalidParameter", true, false),
            (400, "BatchRequestTooLong", true, false),
            (413, "", true, false),
            (404, "NotFound", false, true),
            (403, "AuthorizationError", false, true),
            (400, "Throttling", false, false),
            (400, "ThrottlingException", false, false),
            (429, "", false, false),
            (404, "", false, false),
            (502, "", false, false),
            (500, "InternalError", false, false),
        ] {
            let cause = TopicCause::of(status, code, "injected");
            assert_eq!(matches!(cause, TopicCause::Messages(_)), messages, "{status} {code}");
            assert_eq!(matches!(cause, TopicCause::Closed(_)), closed, "{status} {code}");
        }
    }
}
