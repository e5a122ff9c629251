use order_service::config::{ConfigError, Environment, endpoint};

use crate::database::DatabaseSettings;

/// The work of a process, with its settings.
#[derive(Debug, Clone)]
pub enum Config {
    /// Answer requests for reports.
    Serve(DatabaseSettings),
    /// Take events from a queue.
    Consume(DatabaseSettings, QueueUrl),
    /// Take events from AWS Lambda, at this address of its Runtime API. The function reports a mistake in its settings itself.
    Function { api: String, settings: Result<DatabaseSettings, ConfigError> },
    /// Bring the schema up to date, and end.
    Migrate(DatabaseSettings),
}

/// The URL of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueUrl(pub String);

/// The subcommands.
pub(crate) const SERVE: &str = "serve";
pub(crate) const CONSUME: &str = "consume";
pub(crate) const MIGRATE: &str = "migrate";

impl Config {
    pub fn read(environment: &Environment, subcommand: &str) -> Result<Self, ConfigError> {
        let database = || DatabaseSettings::read(environment);
        match subcommand {
            CONSUME => match environment.text("AWS_LAMBDA_RUNTIME_API")? {
                Some(api) => Ok(Self::Function { api, settings: database() }),
                None => Ok(Self::Consume(database()?, queue_url(environment)?)),
            },
            MIGRATE => Ok(Self::Migrate(database()?)),
            _ => Ok(Self::Serve(database()?)),
        }
    }
}

fn queue_url(environment: &Environment) -> Result<QueueUrl, ConfigError> {
    const VARIABLE: &str = "REPORTING_QUEUE_URL";
    // The SDK reads this variable itself, and reports a mistake only at the first request.
    endpoint(environment, "AWS_ENDPOINT_URL_SQS")?;
    let url = endpoint(environment, VARIABLE)?;
    let expected = "the URL of a queue such as https://sqs.eu-west-1.amazonaws.com/123456789012/reporting";
    url.map(QueueUrl).ok_or(ConfigError::Missing { variable: VARIABLE, expected })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(subcommand: &str, pairs: &[(&str, &str)]) -> Result<Config, String> {
        Config::read(&Environment::of_pairs(pairs), subcommand).map_err(|error| error.to_string())
    }

    #[test]
    fn each_subcommand_has_its_settings() {
        let database = ("DATABASE_URL", "postgres://reporting@h/reporting");
        let queue = ("REPORTING_QUEUE_URL", "http://127.0.0.1:1/000000000000/reporting");
        let api = ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001");
        assert!(matches!(read(SERVE, &[database]), Ok(Config::Serve(_))));
        assert!(matches!(read(MIGRATE, &[database]), Ok(Config::Migrate(_))));
        assert!(matches!(read(CONSUME, &[database, queue]), Ok(Config::Consume(_, QueueUrl(url))) if url == queue.1));
        assert!(matches!(read(CONSUME, &[database, api]), Ok(Config::Function { settings: Ok(_), .. })));
        assert!(matches!(read(CONSUME, &[api]), Ok(Config::Function { settings: Err(_), .. })));
        let missing = read(CONSUME, &[database]).expect_err("no queue");
        assert!(missing.starts_with("REPORTING_QUEUE_URL is not set"), "{missing}");
        let wrong = read(CONSUME, &[database, ("REPORTING_QUEUE_URL", "reporting")]).expect_err("no URL");
        assert!(wrong.starts_with("REPORTING_QUEUE_URL="), "{wrong}");
    }
}
