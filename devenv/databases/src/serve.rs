//! The program of a database's unit: it prepares the data directory and becomes the server, under the same process id.

use std::fs::File;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::time::Instant;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_model::database::{DATABASE, Login, PASSWORD, USER};

use crate::cluster::{Writes, command, make};
use crate::data::{Data, major};
use crate::error::Error;
use crate::owner::{Owner, owner};
use crate::server::Server;
use crate::template::Template;
use crate::{copy, login, stale};

const USAGE: &str =
    "usage: devenv database --bin FOLDER --major N --data FOLDER --listen ADDRESS:PORT [-- SERVER OPTIONS]";

/// For a laptop with other work: little memory, the durability of any other server, times in UTC as in AWS, and no log of checkpoints. The
/// Compose file may have others.
const DEFAULTS: [&str; 6] = [
    "shared_buffers=32MB",
    "huge_pages=off",
    "timezone=UTC",
    "log_timezone=UTC",
    "log_line_prefix=",
    "log_checkpoints=off",
];
/// No socket but the one on loopback, since a socket's folder would have to be reachable for user and server alike. The log is the unit's.
const OWN: [&str; 3] = ["unix_socket_directories=", "logging_collector=off", "password_encryption=scram-sha-256"];

/// What the unit's command line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    pub bin: Utf8PathBuf,
    pub major: u16,
    pub data: Utf8PathBuf,
    pub listen: SocketAddr,
    /// Further options of the server.
    pub more: Vec<String>,
}

impl Options {
    pub fn new(server: &Server, data: Utf8PathBuf, listen: SocketAddr, more: Vec<String>) -> Self {
        Self { bin: server.bin.clone(), major: server.major, data, listen, more }
    }

    /// The arguments after `devenv database`.
    pub fn words(&self) -> Vec<String> {
        let Self { bin, major, data, listen, more } = self;
        let named = [("--bin", bin.to_string()), ("--major", major.to_string()), ("--data", data.to_string())];
        let named = named.into_iter().chain([("--listen", listen.to_string())]);
        let mut words: Vec<String> = named.flat_map(|(name, value)| [name.to_owned(), value]).collect();
        if !more.is_empty() {
            words.push("--".to_owned());
            words.extend(more.iter().cloned());
        }
        words
    }

    pub fn parse(words: &[String]) -> Result<Self, Error> {
        let (named, more) = match words.iter().position(|word| word == "--") {
            Some(at) => (&words[..at], words[at + 1..].to_vec()),
            None => (words, Vec::new()),
        };
        let value = |name: &str| {
            let found = named.chunks(2).find_map(|pair| match pair {
                [known, value] if known == name => Some(value),
                _ => None,
            });
            found.ok_or_else(|| Error::Usage(format!("{name} is missing\n{USAGE}")))
        };
        let wrong = |name: &str| Error::Usage(format!("{name} has a wrong value\n{USAGE}"));
        Ok(Self {
            bin: value("--bin")?.into(),
            major: value("--major")?.parse().map_err(|_| wrong("--major"))?,
            data: value("--data")?.into(),
            listen: value("--listen")?.parse().map_err(|_| wrong("--listen"))?,
            more,
        })
    }
}

/// The options for the server in the command of a Compose service: its `-c NAME=VALUE`. The rest is for a container.
pub fn options_of(command: &[String]) -> Vec<String> {
    let is_setting = |pair: &[String]| pair[0] == "-c" && pair[1].contains('=');
    command.windows(2).filter(|pair| is_setting(pair)).flatten().cloned().collect()
}

/// The login that the variables of this process name.
pub fn login_of(variable: impl Fn(&str) -> Option<String>) -> Result<Login, Error> {
    let of = |name: &str| {
        let value = variable(name).filter(|value| !value.is_empty());
        value.ok_or_else(|| Error::Usage(format!("the variable {name} is not set")))
    };
    Ok(Login { user: of(USER)?, password: of(PASSWORD)?, database: of(DATABASE)? })
}

/// Prepares the data and becomes the server. Returns only with an error. `cache` is this user's folder for what can be made again.
pub fn serve(options: &Options, login: &Login, cache: Option<&Utf8Path>) -> Error {
    match prepared(options, login, cache) {
        Ok(data) => {
            let program = options.bin.join("postgres");
            let source = server(options, &program, &data).exec();
            Error::Run { program, source }
        }
        Err(error) => error,
    }
}

fn prepared(options: &Options, login: &Login, cache: Option<&Utf8Path>) -> Result<Data, Error> {
    login::check(login)?;
    let owner = owner()?;
    let Options { bin, data: folder, .. } = options;
    if !folder.join("PG_VERSION").exists() {
        first(options, owner, login, cache)?;
    }
    let found = std::fs::read_to_string(folder.join("PG_VERSION")).map_err(Error::file("read", folder))?;
    if major(folder) != Some(options.major) {
        let (data, server, found) = (folder.clone(), bin.clone(), found.trim().to_owned());
        return Err(Error::OtherVersion { data, found, server, major: options.major });
    }
    stale::remove(folder).map_err(Error::file("read the lock file in", folder))?;
    let data = Data::open(folder, owner)?;
    login::give(bin, &data, login, Writes::Synced)?;
    Ok(data)
}

/// Makes the data beside its place, so that a start that was killed leaves no half of it.
#[expect(clippy::print_stdout, reason = "this program's output is the unit's log")]
fn first(options: &Options, owner: Option<Owner>, login: &Login, cache: Option<&Utf8Path>) -> Result<(), Error> {
    let begin = Instant::now();
    let Options { bin, data: folder, .. } = options;
    let beside = folder.with_extension("new");
    for old in [&beside, folder] {
        match std::fs::remove_dir_all(old) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::File { action: "remove", path: old.clone(), source: error });
            }
            _ => {}
        }
    }
    if let Some(above) = folder.parent() {
        std::fs::create_dir_all(above).map_err(Error::file("make", above))?;
    }
    let template = cache.and_then(|cache| Template::of(bin, cache));
    let data = make(bin, &beside, owner, template.as_ref())?;
    login::give(bin, &data, login, Writes::Buffered)?;
    // The server syncs only what it writes itself.
    copy::sync(&beside).map_err(Error::file("sync", &beside))?;
    std::fs::rename(&beside, folder).map_err(Error::file("make", folder))?;
    if let Some(above) = folder.parent() {
        File::open(above).and_then(|above| above.sync_all()).map_err(Error::file("sync", above))?;
    }
    println!("made {folder} in {} ms", begin.elapsed().as_millis());
    Ok(())
}

fn server(options: &Options, program: &Utf8Path, data: &Data) -> std::process::Command {
    let mut command = command(program, data);
    let folder = data.seen();
    command.arg("-D").arg(&folder);
    // The server takes the last value of a setting: those of the file cannot open it to others.
    command.args(DEFAULTS.iter().flat_map(|setting| ["-c", setting])).args(&options.more);
    command.args(OWN.iter().flat_map(|setting| ["-c", setting]));
    let (address, port) = (options.listen.ip(), options.listen.port());
    for setting in [
        format!("listen_addresses={address}"),
        format!("port={port}"),
        format!("data_directory={folder}"),
        format!("config_file={folder}/postgresql.conf"),
        format!("hba_file={folder}/pg_hba.conf"),
    ] {
        command.arg("-c").arg(setting);
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_of_a_container_are_those_of_a_process() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let command = words("postgres -c work_mem=1MB -N 20 -c shared_preload_libraries=pg_stat_statements");
        let settings = words("-c work_mem=1MB -c shared_preload_libraries=pg_stat_statements");
        assert_eq!(options_of(&command), settings);
        assert_eq!(options_of(&words("postgres")), [""; 0]);
    }

    #[test]
    fn a_file_cannot_open_the_server_to_others() {
        let server_of = Server { bin: "/usr/lib/postgresql/15/bin".into(), major: 15, version: "15.1".to_owned() };
        let listen = "127.0.0.1:20432".parse().expect("an address");
        let file = "listen_addresses=* port=5432 hba_file=/tmp/open data_directory=/tmp config_file=/tmp/conf unix_socket_directories=/tmp";
        let more =
            file.split(' ').chain(["shared_buffers=1GB"]).flat_map(|setting| ["-c".to_owned(), setting.to_owned()]);
        let options = Options::new(&server_of, "/p/reports".into(), listen, more.collect());
        let data = Data::open(&options.data, None).expect("nothing is opened");
        let command = server(&options, Utf8Path::new("postgres"), &data);
        let words: Vec<&str> = command.get_args().filter_map(|word| word.to_str()).collect();
        let last = |name: &str| words.iter().rev().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        for (name, value) in [
            ("listen_addresses", "127.0.0.1"),
            ("port", "20432"),
            ("hba_file", "/p/reports/pg_hba.conf"),
            ("config_file", "/p/reports/postgresql.conf"),
            ("data_directory", "/p/reports"),
            ("unix_socket_directories", ""),
            ("shared_buffers", "1GB"),
        ] {
            assert_eq!(last(name), Some(value), "{name}");
        }
    }

    #[test]
    fn a_command_line_is_read_as_it_is_written() {
        let server = Server { bin: "/usr/lib/postgresql/15/bin".into(), major: 15, version: "15.1".to_owned() };
        let listen = "127.0.0.1:20432".parse().expect("an address");
        for more in [vec![], vec!["-c".to_owned(), "work_mem=1MB".to_owned()]] {
            let options = Options::new(&server, "/p/.devenv/data/databases/reports".into(), listen, more);
            assert_eq!(Options::parse(&options.words()).expect("complete"), options);
        }
        let error = Options::parse(&["--bin".to_owned(), "/b".to_owned()]).expect_err("incomplete").to_string();
        assert!(error.starts_with("--major is missing"), "{error}");
    }
}
