use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::exit::Exit;

pub(crate) fn run(shell: Shell) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "devenv", &mut script);
    let _ = std::io::Write::write_all(&mut std::io::stdout(), &script);
    Exit::Done.into()
}
