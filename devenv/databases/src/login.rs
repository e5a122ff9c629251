//! The login of a database: the role and the database that clients name.

use camino::Utf8Path;
use devenv_model::database::Login;
use devenv_model::names::short_digest;

use crate::cluster::{Writes, run_alone};
use crate::data::Data;
use crate::error::Error;

/// Has a digest of the login that the data has.
const MARK: &str = "devenv-login";
const DIGEST_BYTES: usize = 32;

/// Refuses a login that does not fit into one line of SQL.
pub(crate) fn check(login: &Login) -> Result<(), Error> {
    let [user, password, database] = login.of_server();
    for (name, value) in [user, password, database] {
        if value.chars().any(char::is_control) {
            return Err(Error::Login { name });
        }
    }
    Ok(())
}

/// Gives the data this login, if it has another one. The user is a superuser, as in the official image.
pub(crate) fn give(bin: &Utf8Path, data: &Data, login: &Login, writes: Writes) -> Result<(), Error> {
    let Login { user, password, database } = login;
    let mark = data.folder.join(MARK);
    let digest = short_digest(format!("{user}\n{password}\n{database}"), DIGEST_BYTES);
    if std::fs::read_to_string(&mark).is_ok_and(|kept| kept == digest) {
        return Ok(());
    }
    run_alone(bin, data, &sql(login), writes)?;
    std::fs::write(&mark, digest).map_err(Error::file("write", &mark))
}

fn sql(login: &Login) -> String {
    let (user, database) = (name(&login.user), name(&login.database));
    let password = login.password.replace('\'', "''");
    format!(
        "CREATE ROLE {user}\nALTER ROLE {user} LOGIN SUPERUSER PASSWORD '{password}'\nCREATE DATABASE {database} OWNER {user}\n"
    )
}

fn name(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_passwords_are_quoted() {
        let login = |password: &str| Login {
            user: "re\"port".to_owned(),
            password: password.to_owned(),
            database: "reports".to_owned(),
        };
        let sql = sql(&login("it's"));
        assert!(sql.contains("ALTER ROLE \"re\"\"port\" LOGIN SUPERUSER PASSWORD 'it''s'\n"), "{sql}");
        assert!(check(&login("it's")).is_ok() && check(&login("two\nlines")).is_err());
    }
}
