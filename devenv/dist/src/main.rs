//! The parts of a release that no compiler makes. `devenv/dist/build` calls them; `devenv` itself links none of them.

mod archive;
mod pages;
mod sums;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        ["pages", folder] => pages::write(Path::new(folder)),
        ["archive", folder, file] => archive::write(Path::new(folder), Path::new(file)),
        ["sums", folder] => sums::write(Path::new(folder)),
        _ => Err(std::io::Error::other("usage: devenv-dist pages FOLDER | archive FOLDER FILE.tar | sums FOLDER")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("devenv-dist: {error}\n").as_bytes());
            ExitCode::FAILURE
        }
    }
}
