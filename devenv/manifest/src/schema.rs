//! Enumerations of the model as the published schema of `devenv.toml` shows them. The model itself knows nothing of schemas.

use schemars::JsonSchema;

macro_rules! described {
    ($(#[$about:meta])* $name:ident { $($(#[$what:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$about])*
        #[derive(JsonSchema)]
        #[schemars(rename_all = "kebab-case")]
        pub(crate) enum $name { $($(#[$what])* $variant),+ }

        /// Fails to compile when the model gains or loses a variant.
        impl From<devenv_model::manifest::$name> for $name {
            fn from(value: devenv_model::manifest::$name) -> Self {
                match value { $(devenv_model::manifest::$name::$variant => Self::$variant),+ }
            }
        }
    };
}

described!(EmulatorKind { Embedded, DynamodbLocal, Localstack });

described!(
    /// Where the evidence of an environment's releases comes from.
    EvidenceOrigin {
        /// The machine that promotes, or with `requires` the records of those environments.
        Promoter,
        /// The environment's bucket, or with `requires` those of these environments, where only the build server's role may
        /// write it: `devenv evidence record ENV`.
        Recorded,
    }
);

described!(
    /// When the container of a service starts. As a process, a service always waits for the tables.
    StartOrder {
        /// When the emulator is ready and has the tables.
        AfterTables,
        /// Beside the emulator: for a service that bears a database which is not there yet. It is asked for its health only
        /// when the tables are there.
        AtOnce,
    }
);
