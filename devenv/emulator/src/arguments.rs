use std::net::SocketAddr;
use std::path::PathBuf;

use devenv_messaging::Place;

use crate::{Data, Error, Options};

const USAGE: &str = "usage: devenv-emulator --listen ADDRESS:PORT (--memory | --data FILE) [--messages FILE | --tables-only] [--calls FILE] [--allow-any-address]";

/// Reads `--listen ADDRESS:PORT (--memory | --data FILE) [--messages FILE | --tables-only] [--calls FILE] [--allow-any-address]`.
/// Without `--messages`, messages are kept beside the data: `dynamodb.messages.sqlite` beside `dynamodb.sqlite`.
pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Options, Error> {
    let mut listen: Option<SocketAddr> = None;
    let mut data = None;
    let mut messages = None;
    let mut calls = None;
    let (mut any_address, mut tables_only) = (false, false);
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--listen" => {
                let text = value(&argument, &mut arguments)?;
                let address = text.parse().map_err(|_| usage(&format!("{text} is not an ADDRESS:PORT")))?;
                listen = Some(address);
            }
            "--data" => data = Some(Data::File(PathBuf::from(value(&argument, &mut arguments)?))),
            "--memory" => data = Some(Data::Memory),
            "--messages" => messages = Some(PathBuf::from(value(&argument, &mut arguments)?)),
            "--calls" => calls = Some(PathBuf::from(value(&argument, &mut arguments)?)),
            "--allow-any-address" => any_address = true,
            "--tables-only" => tables_only = true,
            other => return Err(usage(&format!("unknown argument {other}"))),
        }
    }
    let listen = listen.ok_or_else(|| usage("--listen is missing"))?;
    let data = data.ok_or_else(|| usage("--memory or --data FILE is missing"))?;
    if !any_address && !listen.ip().is_loopback() {
        return Err(Error::NotLoopback { address: listen });
    }
    let messages = match (&data, messages) {
        (_, None) if tables_only => None,
        (_, Some(_)) if tables_only => return Err(usage("--tables-only has no use for --messages")),
        (Data::Memory, None) => Some(Place::Memory),
        (Data::Memory, Some(_)) => return Err(usage("--messages needs --data")),
        (Data::File(data), Some(messages)) if *data == messages => {
            return Err(usage("--messages and --data name the same file"));
        }
        (Data::File(_), Some(messages)) => Some(Place::File(messages)),
        (Data::File(data), None) => Some(Place::File(data.with_extension("messages.sqlite"))),
    };
    Ok(Options { listen, data, messages, calls })
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
        assert_eq!(parsed("--memory --listen [::1]:0").expect("complete").data, Data::Memory);
    }

    #[test]
    fn what_is_missing_is_named() {
        for (line, part) in [
            ("--memory", "--listen is missing"),
            ("--listen 127.0.0.1:1", "--memory or --data"),
            ("--listen nowhere --memory", "nowhere"),
            ("--listen", "needs a value"),
            ("--port 1", "--port"),
            ("--listen 127.0.0.1:1 --memory --messages m", "needs --data"),
            ("--listen 127.0.0.1:1 --data m --messages m", "the same file"),
            ("--listen 127.0.0.1:1 --data d --messages m --tables-only", "has no use"),
        ] {
            let error = parsed(line).expect_err(line).to_string();
            assert!(error.contains(part), "{line}: {error}");
        }
    }

    #[test]
    fn only_loopback_unless_allowed() {
        assert!(matches!(parsed("--listen 0.0.0.0:1 --memory"), Err(Error::NotLoopback { .. })));
        parsed("--listen 0.0.0.0:1 --memory --allow-any-address").expect("allowed");
    }
}
