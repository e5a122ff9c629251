//! The addresses of the emulated AWS.

/// The addresses at which a program reaches the emulated AWS, as URLs unless `T` is another form of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses<T = String> {
    /// DynamoDB.
    pub tables: T,
    /// SQS and SNS. Requests for other services are passed on from there, so that one address serves them all.
    pub messages: T,
}

impl<T: Clone> Addresses<T> {
    /// One address for all services.
    pub fn single(address: T) -> Self {
        Self { tables: address.clone(), messages: address }
    }

    /// The address for a program that knows only one.
    pub fn all(&self) -> &T {
        &self.messages
    }

    /// The address of a service by its name in endpoints, such as `sqs`.
    pub fn of(&self, service: &str) -> &T {
        if service.starts_with("dynamodb") { &self.tables } else { &self.messages }
    }
}

impl<T: ToString> Addresses<T> {
    pub fn urls(&self) -> Addresses {
        Addresses { tables: self.tables.to_string(), messages: self.messages.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_and_their_streams_share_an_address_and_all_else_the_other() {
        let addresses = Addresses { tables: 1, messages: 2 };
        let of = ["dynamodb", "dynamodb_streams", "sqs", "sns"].map(|service| *addresses.of(service));
        assert_eq!((of, *addresses.all()), ([1, 1, 2, 2], 2));
    }
}
