use std::io::Write;
use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;
use devenv_terminal::arguments::Arguments;
use devenv_terminal::exit::Exit;
use devenv_terminal::exit::printed;

pub(crate) fn run(shell: Shell) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "devenv", &mut script);
    let mut out = std::io::stdout();
    printed(out.write_all(&script).and_then(|()| out.flush()), Exit::Done).into()
}
