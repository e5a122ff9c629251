# The words that people and CI use. None of them is needed: each line is a command you can type.

# List the words.
default:
    @just --list

# Start everything, seeded, and follow its logs.
up *arguments:
    cargo devenv up {{ arguments }}

# Stop everything; the data stays.
down *arguments:
    cargo devenv down {{ arguments }}

# The end-to-end tests, in an environment of their own.
test *arguments:
    cargo devenv test {{ arguments }}

# Everything below the end-to-end tests that needs no container engine.
unit:
    cargo test --workspace

# The tests that need a container engine and the images that CONTRIBUTING.md names.
containers *arguments:
    cargo nextest run --workspace --run-ignored only {{ arguments }}

# Format, lint, document, spell, check dependencies.
check: fmt lint docs typos deny

fmt:
    cargo fmt --all -- --check

lint:
    cargo clippy --workspace --all-targets -- -D warnings
    cargo clippy --test end_to_end -- -D warnings

docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

typos:
    typos

deny:
    cargo deny check bans licenses sources

# Each parser on whatever a fuzzer thinks of: `just fuzz 60 yaml`.
fuzz *arguments:
    .ci/fuzz {{ arguments }}

# Changes to the code that decides which no test notices.
mutants *arguments:
    .ci/mutants {{ arguments }}

# Lines that the tests of each crate run.
coverage *crates:
    .ci/coverage {{ crates }}

# What takes too long for every change; writes docs/nightly.md.
nightly:
    .ci/nightly

# Write devenv.schema.json anew.
schema:
    cargo run -q -p devenv-manifest --example schema > devenv.schema.json

# Make live in AWS what was tested: `just promote dev`, or without an account `just promote rehearsal`.
promote environment *arguments:
    cargo devenv promote {{ environment }} {{ arguments }}

# Measure, print a table, and append it to bench/history.jsonl.
bench *arguments:
    cargo build --release
    cargo run --release -q -p bench -- all {{ arguments }}

# Images of the emulators, where no registry can be reached (root, Linux).
emulator-images:
    dynamodb-local/recipe/build
    localstack/recipe/build

# The Compose overlays, with plain `docker compose`.
compose *overlays:
    compose/check {{ overlays }}

# The Terraform, without a provider and without an account; it runs the end-to-end tests to see what the services call.
terraform:
    mkdir -p target/terraform
    rm -f target/terraform/calls
    DEVENV_EMULATOR_CALLS=target/terraform/calls cargo devenv test --runtime process
    terraform/checks/run target/terraform/calls

# The bucket for Terraform's state, once for an account: `just bootstrap dev`. See docs/aws.md.
bootstrap environment:
    terraform -chdir=terraform/bootstrap init
    terraform -chdir=terraform/bootstrap apply -state={{ environment }}.tfstate -var-file=../envs/{{ environment }}/account.tfvars.json -var-file=../envs/{{ environment }}/readers.tfvars.json

# What an environment in AWS stands on: `just foundation dev`. Shows its plan and asks. See docs/aws.md.
foundation environment:
    terraform -chdir=terraform/envs/{{ environment }}/foundation init -backend-config=../account.tfvars.json
    terraform -chdir=terraform/envs/{{ environment }}/foundation apply -var-file=../account.tfvars.json -var-file=../readers.tfvars.json

# Hours of kills and load: rounds of kill -9 of the tool, then the crash tests under long load.
soak seconds="600":
    cargo build --release
    cargo run --release -q -p bench -- soak --rounds 500
    cargo run --release -q -p bench -- --runtime docker soak --rounds 50
    SOAK_SECONDS={{ seconds }} target/release/devenv test -- crash outage stock

# Everything CI does.
ci:
    bash .ci/run
