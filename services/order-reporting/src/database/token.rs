//! A token of IAM in place of a password of RDS: the URL of a request to connect, signed for fifteen minutes.

use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_sdk_sqs::config::{Credentials, ProvideCredentials};
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign},
    sign::v4::SigningParams,
};
use aws_smithy_runtime_api::{box_error::BoxError, client::identity::Identity};

/// The longest validity that RDS accepts. A connection outlives its token.
const VALIDITY: Duration = Duration::from_mins(15);

/// The user of a database, and its server.
#[derive(Debug, Clone)]
pub(super) struct Login {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: String,
    pub(super) region: String,
}

impl Login {
    /// Signs a token with the program's credentials.
    pub(super) async fn token(&self, aws: &SdkConfig) -> Result<String, BoxError> {
        let provider = aws.credentials_provider().ok_or("this program has no credentials of AWS")?;
        self.sign(provider.provide_credentials().await?, SystemTime::now())
    }

    fn sign(&self, credentials: Credentials, time: SystemTime) -> Result<String, BoxError> {
        let mut settings = SigningSettings::default();
        settings.expires_in = Some(VALIDITY);
        settings.signature_location = SignatureLocation::QueryParams;
        let identity: Identity = credentials.into();
        let parameters = SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("rds-db")
            .time(time)
            .settings(settings)
            .build()?
            .into();
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("Action", "connect").append_pair("DBUser", &self.user);
        let place = format!("{}:{}/", self.host, self.port);
        // A space is `+` in a form, and `%20` in a signature.
        let url = format!("https://{place}?{}", query.finish().replace('+', "%20"));
        let request = SignableRequest::new("GET", &url, std::iter::empty(), SignableBody::empty())?;
        let (instructions, _) = sign(request, &parameters)?.into_parts();
        let mut signed = url["https://".len()..].to_owned();
        for (name, value) in instructions.params() {
            signed.push('&');
            signed.push_str(&form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish());
        }
        Ok(signed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(user: &str) -> Login {
        let host = "prod-instance.us-east-1.rds.amazonaws.com".to_owned();
        Login { host, port: 3306, user: user.to_owned(), region: "us-east-1".to_owned() }
    }

    fn token(user: &str, session: Option<&str>) -> String {
        let credentials = Credentials::new("akid", "secret", session.map(str::to_owned), None, "tests");
        // 2024-08-26, 22:00 UTC.
        login(user).sign(credentials, SystemTime::UNIX_EPOCH + Duration::from_hours(479_086)).expect("signed")
    }

    #[test]
    fn a_token_is_that_of_the_aws_sdk() {
        // The input and the result of the test of `aws-sdk-rds`.
        assert_eq!(
            token("peccy", None),
            "prod-instance.us-east-1.rds.amazonaws.com:3306/?Action=connect&DBUser=peccy&X-Amz-Algorithm=AWS4-HMAC-SHA256\
             &X-Amz-Credential=akid%2F20240826%2Fus-east-1%2Frds-db%2Faws4_request&X-Amz-Date=20240826T220000Z\
             &X-Amz-Expires=900&X-Amz-SignedHeaders=host\
             &X-Amz-Signature=dd0cba843009474347af724090233265628ace491ea17ce3eb3da098b983ad89"
        );
    }

    #[test]
    fn temporary_credentials_and_odd_users_are_in_the_token() {
        let signed = token("a b&c", Some("s/1+="));
        assert!(
            signed.contains("DBUser=a%20b%26c&") && signed.contains("X-Amz-Security-Token=s%2F1%2B%3D"),
            "{signed}"
        );
        assert!(!signed.contains(' '));
    }
}
