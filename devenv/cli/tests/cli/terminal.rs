//! Output for a terminal: no control sequences that it does not support.

use std::fs::File;
use std::io::Read;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::project::Project;

const ESCAPE: char = '\u{1b}';

/// Runs a command with a terminal as both its streams, and returns everything it writes.
fn on_a_terminal(project: &Project, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
    grantpt(&controller).and_then(|()| unlockpt(&controller)).expect("ours");
    let name = ptsname(&controller, Vec::new()).expect("it has one").into_string().expect("ASCII");
    let terminal = File::options().read(true).write(true).open(name).expect("ours");
    tcsetwinsize(&terminal, Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 }).expect("a terminal");
    let mut command = project.command(arguments);
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI"] {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied());
    command.stdout(terminal.try_clone().expect("ours")).stderr(terminal);
    let mut child = command.spawn().expect("the program starts");
    // `command` keeps the terminal open.
    drop(command);
    let (mut controller, mut sent, mut part) = (File::from(controller), Vec::new(), [0; 4096]);
    // Reading fails once no process has the terminal open.
    while let Ok(read) = controller.read(&mut part) {
        sent.extend_from_slice(&part[..read]);
    }
    child.wait().expect("ours");
    String::from_utf8_lossy(&sent).into_owned()
}

/// Output of commands that draw progress, a table, a mistake in a file, an error with its hint, and help.
fn everything(variables: &[(&str, &str)]) -> Vec<(&'static str, String)> {
    let project = Project::new();
    let on_terminal = |arguments: &[&str]| on_a_terminal(&project, arguments, variables);
    let mut sent = vec![("up", on_terminal(&["up", "-d"])), ("status", on_terminal(&["status"]))];
    sent.push(("test", on_terminal(&["test"])));
    sent.push(("logs", on_terminal(&["logs", "--tail", "5"])));
    sent.push(("down", on_terminal(&["down"])));
    sent.push(("seed", on_terminal(&["seed"])));
    sent.push(("help", on_terminal(&["--help"])));
    sent.push(("usage", on_terminal(&["upp"])));
    project.change("devenv.toml", "version = 1", "version = 1\nwrong = true");
    sent.push(("mistake", on_terminal(&["up", "--dry-run"])));
    assert!(sent.iter().all(|(_, sent)| !sent.is_empty()), "{sent:?}");
    sent
}

/// Whether a text has a sequence that styles text, such as `ESC [ 32 m`.
fn is_styled(text: &str) -> bool {
    text.split(ESCAPE).skip(1).any(|after| {
        let end = after.find(|character: char| !matches!(character, '[' | ';' | '0'..='9'));
        end.is_some_and(|end| after[end..].starts_with('m'))
    })
}

#[test]
fn a_terminal_that_knows_them_is_sent_colours_and_movements() {
    let sent = everything(&[("TERM", "xterm-256color")]);
    // The excluded commands print plain text on every terminal.
    for (command, sent) in sent.iter().filter(|(command, _)| !["down", "seed"].contains(command)) {
        assert!(is_styled(sent), "{command}: {sent:?}");
    }
    assert!(sent[0].1.contains("\u{1b}[2K") || sent[0].1.contains("\u{1b}[1A"), "{:?}", sent[0]);
}

#[test]
fn a_dumb_terminal_is_sent_text_alone() {
    for (command, sent) in everything(&[("TERM", "dumb")]) {
        assert!(!sent.contains(ESCAPE) && !sent.contains('\u{8}'), "{command}: {sent:?}");
        // The terminal itself adds a carriage return at the end of each line.
        assert!(!sent.replace("\r\n", "\n").contains('\r'), "{command}: {sent:?}");
    }
}

#[test]
fn no_colour_is_sent_to_a_caller_who_wants_none() {
    for (command, sent) in everything(&[("TERM", "xterm-256color"), ("NO_COLOR", "1")]) {
        assert!(!is_styled(&sent), "{command}: {sent:?}");
    }
}
