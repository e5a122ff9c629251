//! Prints the JSON Schema of `devenv.toml`: `cargo run -p devenv-manifest --example schema > devenv.schema.json`.

use std::io::Write;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(devenv_manifest::settings::schema().as_bytes())
}
