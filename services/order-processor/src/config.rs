use order_service::config::{ConfigError, Environment};

/// The settings of this service beyond the common ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    pub inventory_table: String,
    pub reservations_table: String,
}

impl Config {
    pub fn read(environment: &Environment) -> Result<Self, ConfigError> {
        Ok(Self {
            inventory_table: environment.table("INVENTORY_TABLE", "inventory")?,
            reservations_table: environment.table("RESERVATIONS_TABLE", "reservations")?,
        })
    }
}
