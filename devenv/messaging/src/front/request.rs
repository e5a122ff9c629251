/// The region of requests without a signature.
pub(crate) const DEFAULT_REGION: &str = "eu-west-1";

/// What the services need to know of a request's head.
#[derive(Debug, Clone, Default)]
pub struct Head {
    /// `x-amz-target`.
    pub target: Option<String>,
    /// `host`; queue URLs are made from it.
    pub host: Option<String>,
    /// `authorization`; its credential scope names the region and the service.
    pub authorization: Option<String>,
    /// The URL's path, still encoded.
    pub path: String,
    /// The URL's query, empty without one.
    pub query: String,
}

/// Whether a request is one for queues or topics, by its `x-amz-target`, its `content-type` and its URL's query.
pub fn belongs_here(target: Option<&str>, content_type: Option<&str>, query: Option<&str>) -> bool {
    match target {
        Some(target) => target.starts_with(super::call::QUEUES_TARGET),
        None => {
            content_type.is_some_and(|kind| kind.trim_start().starts_with("application/x-www-form-urlencoded"))
                || query.is_some_and(|query| query.split('&').any(|pair| pair.starts_with("Action=")))
        }
    }
}

impl Head {
    /// The parts of the credential scope: key, date, region, service. A presigned URL has it in the query.
    fn scope(&self) -> Option<Vec<String>> {
        let signed = self.authorization.as_deref().and_then(|value| {
            let (_, credential) = value.split_once("Credential=")?;
            Some(credential.split([',', ' ']).next()?.to_owned())
        });
        let presigned = || {
            let mut pairs = form_urlencoded::parse(self.query.as_bytes());
            pairs.find(|(name, _)| name == "X-Amz-Credential").map(|(_, value)| value.into_owned())
        };
        let scope: Vec<String> = signed.or_else(presigned)?.split('/').map(str::to_owned).collect();
        (scope.len() >= 5).then_some(scope)
    }

    pub(crate) fn region(&self) -> String {
        let named = self.scope().map(|scope| scope[2].clone());
        let usable = |region: &String| {
            (1..=32).contains(&region.len()) && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        named.filter(usable).unwrap_or_else(|| DEFAULT_REGION.to_owned())
    }

    /// The service that the signature is for, such as `sns`.
    pub(crate) fn signed_service(&self) -> Option<String> {
        self.scope().map(|scope| scope[3].clone())
    }

    /// The URL under which the caller reaches this emulator, without a slash at the end.
    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.host.as_deref().unwrap_or("localhost"))
    }
}
