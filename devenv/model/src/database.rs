//! PostgreSQL databases as their files describe them, and the way into one.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// PostgreSQL's port in a container.
pub const PORT: u16 = 5432;
/// The variables by which the official image, and devenv's own servers, learn user, password and database.
pub const USER: &str = "POSTGRES_USER";
pub const PASSWORD: &str = "POSTGRES_PASSWORD";
pub const DATABASE: &str = "POSTGRES_DB";

/// A database file: the `CreateDBInstance` input. The Compose service of its name is the database on this machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Database {
    pub name: String,
    pub file: Utf8PathBuf,
    /// The major version of `EngineVersion`.
    pub major: u16,
    /// `DBName`.
    pub database: String,
    /// `MasterUsername`.
    pub user: String,
    pub definition: Value,
}

/// The state of a database on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseState {
    Present,
    /// The server answers, and has no such database.
    Absent,
    /// The server does not answer, with the reason.
    Unreachable(String),
}

/// What a server asks of a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    pub user: String,
    pub password: String,
    pub database: String,
}

impl Database {
    /// The login: what the service's variables say, else what the file says, with `password`.
    pub fn login(&self, variables: &BTreeMap<String, String>, password: &str) -> Login {
        let or = |name: &str, other: &str| variables.get(name).map_or(other, String::as_str).to_owned();
        Login { user: or(USER, &self.user), password: or(PASSWORD, password), database: or(DATABASE, &self.database) }
    }
}

impl Login {
    pub fn url(&self, host: &str, port: u16) -> String {
        let [user, password, database] = [&self.user, &self.password, &self.database].map(|text| encoded(text));
        format!("postgres://{user}:{password}@{host}:{port}/{database}")
    }

    /// The variables of the server.
    pub fn of_server(&self) -> [(&'static str, &str); 3] {
        [(USER, &self.user), (PASSWORD, &self.password), (DATABASE, &self.database)]
    }
}

/// A part of a URL: every byte but a letter, digit, `-`, `_`, `.` or `~` is escaped.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compose_file_is_asked_first() {
        let database = Database {
            name: "reporting-database".to_owned(),
            file: "databases/reporting-database.json".into(),
            major: 15,
            database: "reporting".to_owned(),
            user: "reporter".to_owned(),
            definition: Value::Null,
        };
        let url = |variables| database.login(&variables, "made").url("127.0.0.1", 20100);
        assert_eq!(url(BTreeMap::new()), "postgres://reporter:made@127.0.0.1:20100/reporting");
        let told = [(PASSWORD, "a/b@c"), (USER, "me")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(url(told.into()), "postgres://me:a%2Fb%40c@127.0.0.1:20100/reporting");
    }
}
