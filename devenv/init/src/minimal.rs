//! A minimal Compose file for a folder that has only a Dockerfile.

/// Returns the text: one service, built here, with the ports that the Dockerfile exposes.
pub(crate) fn compose(dockerfile: &str) -> String {
    let ports: Vec<String> = exposed(dockerfile).map(|port| format!("\"{port}:{port}\"")).collect();
    let ports = if ports.is_empty() {
        "    # ports: [\"8000:8000\"]\n".to_owned()
    } else {
        format!("    ports: [{}]\n", ports.join(", "))
    };
    format!("services:\n  app:\n    build: .\n{ports}")
}

fn exposed(dockerfile: &str) -> impl Iterator<Item = u16> {
    let words = dockerfile.lines().filter_map(|line| {
        let (word, rest) = line.trim().split_once(char::is_whitespace)?;
        word.eq_ignore_ascii_case("EXPOSE").then_some(rest)
    });
    words.flat_map(str::split_whitespace).filter_map(|port| port.trim_end_matches("/tcp").parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ports_that_a_dockerfile_exposes_are_published() {
        let text = compose("FROM python\nexpose 8000/tcp 9000\nEXPOSE $PORT 53/udp\n");
        assert_eq!(text, "services:\n  app:\n    build: .\n    ports: [\"8000:8000\", \"9000:9000\"]\n");
        assert!(compose("FROM scratch\n").contains("# ports"));
    }
}
