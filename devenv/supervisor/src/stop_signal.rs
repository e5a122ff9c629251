//! The signals by which a Compose file asks a program to end.

use rustix::process::Signal;

/// Reads `SIGINT`, `INT` or `2`. Any other signal, such as one of the real-time signals of a container, is SIGTERM.
pub(crate) fn stop_signal(name: &str) -> Signal {
    let name = name.to_ascii_uppercase();
    match name.strip_prefix("SIG").unwrap_or(&name) {
        "HUP" | "1" => Signal::HUP,
        "INT" | "2" => Signal::INT,
        "QUIT" | "3" => Signal::QUIT,
        "KILL" | "9" => Signal::KILL,
        "USR1" => Signal::USR1,
        "USR2" => Signal::USR2,
        "WINCH" => Signal::WINCH,
        _ => Signal::TERM,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_has_several_spellings() {
        for name in ["SIGINT", "int", "2"] {
            assert_eq!(stop_signal(name), Signal::INT, "{name}");
        }
        assert_eq!(stop_signal("SIGRTMIN+3"), Signal::TERM);
    }
}
