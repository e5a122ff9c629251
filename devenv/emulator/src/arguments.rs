use std::net::SocketAddr;
use std::path::PathBuf;

use devenv_messaging::Place;

use crate::{Data, Error, Options};

const USAGE: &str = "usage: devenv-emulator --listen ADDRESS:PORT (--memory | --data FILE | --tables-at HOST:PORT) \
                     [--messages FILE] [--listen-messages ADDRESS:PORT | --tables-only] [--calls FILE] [--allow-any-address]";

/// Reads the command line of an emulator. Without `--messages`, messages are kept beside the data: `dynamodb.messages.sqlite` beside
/// `dynamodb.sqlite`. Without `--listen-messages`, one port serves tables and messages.
pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Options, Error> {
    let mut given = Given::default();
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--listen" => given.listen = Some(address(&argument, &mut arguments)?),
            "--listen-messages" => given.listen_messages = Some(address(&argument, &mut arguments)?),
            "--data" => given.data = Some(Data::File(PathBuf::from(value(&argument, &mut arguments)?))),
            "--memory" => given.data = Some(Data::Memory),
            "--tables-at" => given.data = Some(Data::Elsewhere(value(&argument, &mut arguments)?)),
            "--messages" => given.messages = Some(PathBuf::from(value(&argument, &mut arguments)?)),
            "--calls" => given.calls = Some(PathBuf::from(value(&argument, &mut arguments)?)),
            "--allow-any-address" => given.any_address = true,
            "--tables-only" => given.tables_only = true,
            other => return Err(usage(&format!("unknown argument {other}"))),
        }
    }
    given.checked()
}

#[derive(Default)]
struct Given {
    listen: Option<SocketAddr>,
    listen_messages: Option<SocketAddr>,
    data: Option<Data>,
    messages: Option<PathBuf>,
    calls: Option<PathBuf>,
    any_address: bool,
    tables_only: bool,
}

impl Given {
    fn checked(mut self) -> Result<Options, Error> {
        let listen = self.listen.ok_or_else(|| usage("--listen is missing"))?;
        let data = self.data.take().ok_or_else(|| usage("--memory, --data FILE or --tables-at is missing"))?;
        for address in [Some(listen), self.listen_messages].into_iter().flatten() {
            if !self.any_address && !address.ip().is_loopback() {
                return Err(Error::NotLoopback { address });
            }
        }
        let has_own_port = self.listen_messages.is_some();
        match &data {
            Data::Elsewhere(_) if self.tables_only => return Err(usage("--tables-only has no use for --tables-at")),
            Data::Elsewhere(_) if has_own_port => {
                return Err(usage("--tables-at has no use for --listen-messages: --listen serves messages then"));
            }
            _ if self.tables_only && has_own_port => {
                return Err(usage("--tables-only has no use for --listen-messages"));
            }
            _ => {}
        }
        let messages = self.place(&data)?;
        Ok(Options { listen, listen_messages: self.listen_messages, data, messages, calls: self.calls })
    }

    /// Where messages are kept; `None` if there are only tables.
    fn place(&self, data: &Data) -> Result<Option<Place>, Error> {
        Ok(match (data, &self.messages) {
            (_, Some(_)) if self.tables_only => return Err(usage("--tables-only has no use for --messages")),
            (_, None) if self.tables_only => None,
            (Data::Memory, Some(_)) => return Err(usage("--messages needs --data or --tables-at")),
            (Data::File(data), Some(messages)) if data == messages => {
                return Err(usage("--messages and --data name the same file"));
            }
            (_, Some(messages)) => Some(Place::File(messages.clone())),
            (Data::File(data), None) => Some(Place::File(data.with_extension("messages.sqlite"))),
            (Data::Memory | Data::Elsewhere(_), None) => Some(Place::Memory),
        })
    }
}

fn address(name: &str, arguments: &mut impl Iterator<Item = String>) -> Result<SocketAddr, Error> {
    let text = value(name, arguments)?;
    text.parse().map_err(|_| usage(&format!("{text} is not an ADDRESS:PORT")))
}

fn value(name: &str, arguments: &mut impl Iterator<Item = String>) -> Result<String, Error> {
    arguments.next().ok_or_else(|| usage(&format!("{name} needs a value")))
}

fn usage(problem: &str) -> Error {
    Error::Usage(format!("{problem}\n{USAGE}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Options, Error> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn a_file_or_memory() {
        let options = parsed("--listen 127.0.0.1:8000 --data d.sqlite").expect("complete");
        assert_eq!(options.data, Data::File("d.sqlite".into()));
        assert_eq!(options.messages, Some(Place::File("d.messages.sqlite".into())));
        let options = parsed("--listen 127.0.0.1:8000 --data d.sqlite --messages m").expect("complete");
        assert_eq!(options.messages, Some(Place::File("m".into())));
        let options = parsed("--listen 127.0.0.1:8000 --data d.sqlite --tables-only").expect("complete");
        assert_eq!(options.messages, None);
        let options = parsed("--listen 127.0.0.1:1 --data d --listen-messages 127.0.0.1:2").expect("complete");
        assert_eq!(options.listen_messages, Some(([127, 0, 0, 1], 2).into()));
        let options = parsed("--listen 127.0.0.1:1 --tables-at emulator:8000 --messages m").expect("complete");
        assert_eq!(options.data, Data::Elsewhere("emulator:8000".to_owned()));
        assert_eq!(options.messages, Some(Place::File("m".into())));
        assert_eq!(parsed("--memory --listen [::1]:0").expect("complete").data, Data::Memory);
    }

    #[test]
    fn what_is_missing_is_named() {
        for (line, part) in [
            ("--memory", "--listen is missing"),
            ("--listen 127.0.0.1:1", "--memory, --data FILE or"),
            ("--listen nowhere --memory", "nowhere"),
            ("--listen", "needs a value"),
            ("--port 1", "--port"),
            ("--listen 127.0.0.1:1 --memory --messages m", "needs --data"),
            ("--listen 127.0.0.1:1 --data m --messages m", "the same file"),
            ("--listen 127.0.0.1:1 --data d --messages m --tables-only", "has no use"),
            ("--listen 127.0.0.1:1 --data d --listen-messages 127.0.0.1:2 --tables-only", "has no use"),
            ("--listen 127.0.0.1:1 --tables-at d:1 --listen-messages 127.0.0.1:2", "has no use"),
            ("--listen 127.0.0.1:1 --tables-at d:1 --tables-only", "has no use"),
        ] {
            let error = parsed(line).expect_err(line).to_string();
            assert!(error.contains(part), "{line}: {error}");
        }
    }

    #[test]
    fn only_loopback_unless_allowed() {
        for line in ["--listen 0.0.0.0:1 --memory", "--listen 127.0.0.1:1 --memory --listen-messages 0.0.0.0:1"] {
            assert!(matches!(parsed(line), Err(Error::NotLoopback { .. })), "{line}");
        }
        parsed("--listen 0.0.0.0:1 --memory --allow-any-address").expect("allowed");
    }
}
