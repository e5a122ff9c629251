//! Making a data directory, and running PostgreSQL's programs on it.

use std::io::Write as _;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};

use camino::Utf8Path;

use crate::copy;
use crate::data::Data;
use crate::error::Error;
use crate::owner::Owner;
use crate::template::Template;

/// The superuser of the bootstrap; it has no password, so nobody can log in as it.
const BOOTSTRAP: &str = "postgres";
/// C sorts by code point, on every system alike, and needs no locale of this one.
const OPTIONS: [&str; 6] =
    ["--username=postgres", "--encoding=UTF8", "--locale=C", "--auth=trust", "--no-sync", "--wal-segsize=16"];
/// Replaces the file of `initdb`: programs of this machine only, with a password.
const ACCESS: &str = "# TYPE DATABASE USER ADDRESS METHOD\nhost all all 127.0.0.1/32 scram-sha-256\n";

/// An error does not repeat its statement, which may have the password: it gets into the unit's log.
const SETTINGS_ALONE: [&str; 3] =
    ["password_encryption=scram-sha-256", "log_min_messages=error", "log_min_error_statement=panic"];

/// Makes a data directory in `folder`, which is not there yet: a copy of the template, which it makes if there is none.
pub(crate) fn make(
    bin: &Utf8Path,
    folder: &Utf8Path,
    owner: Option<Owner>,
    template: Option<&Template>,
) -> Result<Data, Error> {
    copy::folder(folder, owner).map_err(Error::file("make", folder))?;
    let data = Data::open(folder, owner)?;
    if template.is_some_and(|template| template.copy_to(folder, owner)) {
        return Ok(data);
    }
    let program = bin.join("initdb");
    let output = command(&program, &data).arg("-D").arg(data.seen()).args(OPTIONS).stdin(Stdio::null()).output();
    succeeded(&program, output)?;
    let access = folder.join("pg_hba.conf");
    std::fs::write(&access, ACCESS).map_err(Error::file("write", &access))?;
    if let Some(template) = template {
        template.keep(folder);
    }
    Ok(data)
}

/// Whether a write outlasts a loss of power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writes {
    Synced,
    /// For data in the making, which is synced at the end.
    Buffered,
}

/// Runs SQL, one statement a line, while no server runs. Statements that make what is there already are tolerated.
pub(crate) fn run_alone(bin: &Utf8Path, data: &Data, sql: &str, writes: Writes) -> Result<(), Error> {
    let program = bin.join("postgres");
    let mut command = command(&program, data);
    command.args(["--single", "-D"]).arg(data.seen());
    command.args(SETTINGS_ALONE.iter().flat_map(|setting| ["-c", setting]));
    if writes == Writes::Buffered {
        command.args(["-c", "fsync=off"]);
    }
    command.arg(BOOTSTRAP);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let output = child.and_then(|mut child| {
        let written = child.stdin.take().map_or(Ok(()), |mut input| input.write_all(sql.as_bytes()));
        let output = child.wait_with_output()?;
        // A program that failed has not read all of it.
        if output.status.success() { written.map(|()| output) } else { Ok(output) }
    });
    let output = succeeded(&program, output)?;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let is_failure = |line: &&str| line.contains("ERROR:") && !line.contains("already exists");
    match errors.lines().find(is_failure) {
        Some(_) => Err(Error::Failed { program, output: errors.trim().to_owned() }),
        None => Ok(()),
    }
}

/// A program of PostgreSQL, as the owner of the data, without the variables of a client.
pub(crate) fn command(program: &Utf8Path, data: &Data) -> Command {
    let mut command = Command::new(program);
    // PostgreSQL returns to its first folder, which its user may not enter.
    command.current_dir("/");
    for name in ["PGDATA", "PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE", "POSTGRES_PASSWORD"] {
        command.env_remove(name);
    }
    if let Some(Owner { user, group }) = data.owner {
        command.uid(user).gid(group);
    }
    command
}

fn succeeded(program: &Utf8Path, output: std::io::Result<Output>) -> Result<Output, Error> {
    let output = output.map_err(|source| Error::Run { program: program.to_owned(), source })?;
    if output.status.success() {
        return Ok(output);
    }
    let text = [&output.stdout[..], &output.stderr].concat();
    let text = String::from_utf8_lossy(&text).trim().to_owned();
    Err(Error::Failed { program: program.to_owned(), output: format!("{text}\n{}", output.status) })
}
