//! The `healthcheck` subcommand: an image without a shell has no other program to request `/livez`.

use std::{
    io::{Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    time::Duration,
};

use crate::config::{Environment, bind_addr};

const TIMEOUT: Duration = Duration::from_millis(1500);

/// Probes the service with the same environment variables.
pub(crate) fn healthcheck(environment: &Environment) -> Result<(), String> {
    let bound = bind_addr(environment).map_err(|error| error.to_string())?;
    if bound.port() == 0 {
        return Err("BIND_ADDR has port 0, so the port is not known; give it a fixed one".to_owned());
    }
    let address = reachable(bound);
    match ask(address) {
        Ok(head) if head.starts_with("HTTP/1.1 200 ") => Ok(()),
        Ok(head) => Err(format!("{address}/livez answered {}", head.lines().next().unwrap_or_default())),
        Err(error) => Err(format!("{address}/livez did not answer: {error}")),
    }
}

/// Returns the address to call. An unspecified address is for listening only, so loopback replaces it.
fn reachable(bound: SocketAddr) -> SocketAddr {
    let ip = match bound.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, bound.port())
}

fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    stream.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut head = Vec::new();
    stream.take(1024).read_to_end(&mut head)?;
    Ok(String::from_utf8_lossy(&head).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unspecified_address_is_asked_on_loopback() {
        for (bound, asked) in
            [("0.0.0.0:8000", "127.0.0.1:8000"), ("[::]:80", "[::1]:80"), ("10.0.0.5:1", "10.0.0.5:1")]
        {
            assert_eq!(reachable(bound.parse().expect("address")).to_string(), asked);
        }
    }

    #[test]
    fn an_answer_other_than_200_is_unhealthy() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound").to_string();
        let server = std::thread::spawn(move || {
            for answer in ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 503 Service Unavailable\r\n\r\n"] {
                let (mut stream, _) = listener.accept().expect("a caller");
                let mut request = [0; 512];
                let _ = stream.read(&mut request).expect("a request");
                stream.write_all(answer.as_bytes()).expect("the caller waits");
            }
        });
        let environment = Environment::of_pairs(&[("BIND_ADDR", &address)]);
        assert_eq!(healthcheck(&environment), Ok(()));
        assert!(healthcheck(&environment).expect_err("503").contains("503"));
        server.join().expect("no panic");
        assert!(healthcheck(&environment).expect_err("closed").contains("did not answer"));
    }
}
