use std::net::IpAddr;

/// A block of addresses, such as `10.0.0.0/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Network {
    base: IpAddr,
    /// The bits that all addresses of the block share.
    shared: u32,
}

impl Network {
    pub(super) fn read(text: &str) -> Result<Self, &'static str> {
        let (base, shared) = text.split_once('/').ok_or("Malformed CIDR, one '/' required")?;
        let base: IpAddr = base.parse().map_err(|_| "Malformed CIDR, the part before '/' is no address")?;
        let shared = shared.parse().map_err(|_| "Malformed CIDR, mask bits must be an integer")?;
        if shared > width(base) {
            return Err("Malformed CIDR, mask bits exceed the address");
        }
        Ok(Self { base, shared })
    }

    pub(super) fn contains(&self, text: &str) -> bool {
        let Ok(address) = text.parse::<IpAddr>() else { return false };
        let free = width(self.base) - self.shared;
        let block = |address: IpAddr| bits(address).checked_shr(free).unwrap_or_default();
        address.is_ipv4() == self.base.is_ipv4() && block(address) == block(self.base)
    }
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_a_block() {
        for (block, inside, outside) in [
            ("10.0.0.0/24", "10.0.0.255", "10.0.1.0"),
            ("10.0.0.7/32", "10.0.0.7", "10.0.0.8"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("0.0.0.0/0", "255.1.2.3", "::1"),
            ("::/0", "::1", "1.2.3.4"),
        ] {
            let network = Network::read(block).expect(block);
            assert!(network.contains(inside), "{block} {inside}");
            assert!(!network.contains(outside), "{block} {outside}");
            assert!(!network.contains("somewhere"));
        }
    }

    #[test]
    fn what_is_no_block() {
        for text in ["10.0.0.0", "10.0.0/24", "10.0.0.0/33", "10.0.0.0/x", "::/129"] {
            Network::read(text).expect_err(text);
        }
    }
}
