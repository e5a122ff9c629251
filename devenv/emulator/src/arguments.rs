use std::net::SocketAddr;
use std::path::PathBuf;

use crate::{Data, Error, Options};

const USAGE: &str =
    "usage: devenv-emulator --listen ADDRESS:PORT (--memory | --data FILE) [--calls FILE] [--allow-any-address]";

/// Reads `--listen ADDRESS:PORT (--memory | --data FILE) [--calls FILE] [--allow-any-address]`.
pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Options, Error> {
    let mut listen: Option<SocketAddr> = None;
    let mut data = None;
    let mut calls = None;
    let mut any_address = false;
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
            "--calls" => calls = Some(PathBuf::from(value(&argument, &mut arguments)?)),
            "--allow-any-address" => any_address = true,
            other => return Err(usage(&format!("unknown argument {other}"))),
        }
    }
    let listen = listen.ok_or_else(|| usage("--listen is missing"))?;
    let data = data.ok_or_else(|| usage("--memory or --data FILE is missing"))?;
    if !any_address && !listen.ip().is_loopback() {
        return Err(Error::NotLoopback { address: listen });
    }
    Ok(Options { listen, data, calls })
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
