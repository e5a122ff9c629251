//! SCRAM-SHA-256 (RFC 5802, RFC 7677): both sides prove that they know the password, and neither sends it.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

pub(crate) const MECHANISM: &str = "SCRAM-SHA-256";
/// The size of a hash, and of the blocks that it works on.
const HASH: usize = 32;
const BLOCK: usize = 64;
const NONCE_BYTES: usize = 18;
/// A server asks for 4096; more than this would take seconds.
const ITERATIONS: std::ops::RangeInclusive<u32> = 1..=100_000;

type Hash = [u8; HASH];

/// One login.
#[derive(Debug)]
pub(crate) struct Scram {
    nonce: String,
    /// The server's proof, once the client has replied.
    expected: Option<String>,
}

impl Scram {
    pub(crate) fn new() -> std::io::Result<Self> {
        let mut bytes = [0; NONCE_BYTES];
        std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        Ok(Self { nonce: STANDARD.encode(bytes), expected: None })
    }

    /// The client's first message. PostgreSQL takes the user from the start of the connection.
    pub(crate) fn first(&self) -> String {
        format!("n,,{}", self.first_bare())
    }

    fn first_bare(&self) -> String {
        format!("n=,r={}", self.nonce)
    }

    /// The client's proof, after the server's first message; `None` if that is not one.
    pub(crate) fn reply(&mut self, password: &str, server_first: &[u8]) -> Option<String> {
        let server_first = std::str::from_utf8(server_first).ok()?;
        let part = |name: &str| server_first.split(',').find_map(|part| part.strip_prefix(name));
        let nonce = part("r=").filter(|nonce| nonce.starts_with(&self.nonce) && nonce.len() > self.nonce.len())?;
        let salt = STANDARD.decode(part("s=")?).ok()?;
        let iterations = part("i=")?.parse().ok().filter(|count| ITERATIONS.contains(count))?;
        let salted = salted(password.as_bytes(), &salt, iterations);
        let last = format!("c=biws,r={nonce}");
        let all = format!("{},{server_first},{last}", self.first_bare());
        let client = Key::new(&salted).sign(b"Client Key");
        let signature = Key::new(&Sha256::digest(client)).sign(all.as_bytes());
        let proof: Vec<u8> = client.iter().zip(signature).map(|(one, other)| one ^ other).collect();
        let server = Key::new(&salted).sign(b"Server Key");
        self.expected = Some(format!("v={}", STANDARD.encode(Key::new(&server).sign(all.as_bytes()))));
        Some(format!("{last},p={}", STANDARD.encode(proof)))
    }

    /// Whether the server's last message shows that it knows the password.
    pub(crate) fn is_proved_by(&self, server_last: &[u8]) -> bool {
        self.expected.as_ref().is_some_and(|expected| expected.as_bytes() == server_last)
    }
}

/// PBKDF2 with one block. The key's own blocks are hashed once, not in every iteration.
fn salted(password: &[u8], salt: &[u8], iterations: u32) -> Hash {
    let key = Key::new(password);
    let mut block = key.sign(&[salt, &[0, 0, 0, 1]].concat());
    let mut result = block;
    for _ in 1..iterations {
        block = key.sign(&block);
        result.iter_mut().zip(block).for_each(|(byte, other)| *byte ^= other);
    }
    result
}

/// HMAC-SHA-256 with one key.
struct Key {
    inner: Sha256,
    outer: Sha256,
}

impl Key {
    fn new(key: &[u8]) -> Self {
        let mut block = [0; BLOCK];
        if key.len() > BLOCK {
            block[..HASH].copy_from_slice(&Sha256::digest(key));
        } else {
            block[..key.len()].copy_from_slice(key);
        }
        let with = |pad: u8| Sha256::new_with_prefix(block.map(|byte| byte ^ pad));
        Self { inner: with(0x36), outer: with(0x5c) }
    }

    fn sign(&self, text: &[u8]) -> Hash {
        let inner = self.inner.clone().chain_update(text).finalize();
        self.outer.clone().chain_update(inner).finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7677, whose user PostgreSQL leaves out of the message.
    #[test]
    fn the_salted_password_is_that_of_the_rfc() {
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").expect("base64");
        let key = Key::new(&salted(b"pencil", &salt, 4096));
        let all = "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                   s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let server = Key::new(&key.sign(b"Server Key")).sign(all.as_bytes());
        assert_eq!(STANDARD.encode(server), "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    }

    #[test]
    fn both_sides_must_prove_themselves() {
        let mut scram = Scram { nonce: "abc".to_owned(), expected: None };
        assert_eq!(scram.first(), "n,,n=,r=abc");
        for wrong in ["", "r=abc,s=AA==,i=1", "r=xyz1,s=AA==,i=1", "r=abc1,s=?,i=1", "r=abc1,s=AA==,i=9999999"] {
            assert_eq!(scram.reply("p", wrong.as_bytes()), None, "{wrong}");
        }
        let reply = scram.reply("p", b"r=abc1,s=AA==,i=2").expect("a first message");
        assert!(reply.starts_with("c=biws,r=abc1,p="), "{reply}");
        let expected = scram.expected.clone().expect("it replied");
        assert!(scram.is_proved_by(expected.as_bytes()) && !scram.is_proved_by(b"v=AAAA"));
    }
}
