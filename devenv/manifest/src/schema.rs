//! Copies of the model's enumerations for the published schema of `devenv.toml`; the model itself does not know schemas.

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
    /// Where the evidence of a target's releases comes from.
    EvidenceOrigin {
        /// The promoting machine, or with `requires` the records of those targets.
        Promoter,
        /// The target's bucket, or with `requires` the buckets of those targets, where only the build server's role may write
        /// it: `devenv evidence record ENV`.
        Recorded,
    }
);

described!(
    /// When the container of a service starts. As a process, a service always waits for the tables.
    StartOrder {
        /// When the emulator is ready and has the tables.
        AfterTables,
        /// Together with the emulator: for a service that tolerates a missing database. Its health is probed only once the
        /// tables exist.
        AtOnce,
    }
);
