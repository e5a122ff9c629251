# Recipes for people and CI. None of them is required: each line is a command that you can type.

# List the recipes.
default:
    @just --list

# Start everything, seeded, and follow its logs.
up *arguments:
    cargo devenv up {{ arguments }}

# Stop everything; the data stays.
down *arguments:
    cargo devenv down {{ arguments }}

# Run the end-to-end tests, in an environment of their own.
test *arguments:
    cargo devenv test {{ arguments }}

# Run all tests below the end-to-end tests that need no container engine.
unit:
    cargo test --workspace

# Run the tests that need a container engine and the images that CONTRIBUTING.md names.
containers *arguments:
    cargo nextest run --workspace --run-ignored only {{ arguments }}

# Format, lint, document, spell, check dependencies.
check: fmt lint docs typos deny

fmt:
    cargo fmt --all -- --check

lint:
    cargo clippy --workspace --all-targets -- -D warnings
    cargo clippy --test end_to_end --test reports --test low_stock -- -D warnings

docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

typos:
    typos

deny:
    cargo deny check bans licenses sources

# Fuzz the parsers: `just fuzz 60 yaml`.
fuzz *arguments:
    .ci/fuzz {{ arguments }}

# List the mutants of the decisions that no test notices.
mutants *arguments:
    .ci/mutants {{ arguments }}

# Measure the share of each crate's lines that its tests run.
coverage *crates:
    .ci/coverage {{ crates }}

# Run the checks that take too long for every change; writes docs/nightly.md.
nightly:
    .ci/nightly

# Generate devenv.schema.json.
schema:
    cargo run -q -p devenv-manifest --example schema > devenv.schema.json

# Make the tested release live in AWS: `just promote dev`, or without an account `just promote rehearsal`.
promote environment *arguments:
    cargo devenv promote {{ environment }} {{ arguments }}

# Make the release archive of this machine's system, in target/dist.
dist *arguments:
    devenv/dist/build {{ arguments }}

# Measure, print a table, and append it to bench/history.jsonl.
bench *arguments:
    cargo build --release
    cargo run --release -q -p bench -- all {{ arguments }}

# Measure the queues of the embedded emulator beside its tables, and print a table.
bench-queues *arguments:
    cargo build --release
    cargo run --release -q -p bench -- queues {{ arguments }}

# Build the emulators' images without a registry (root, Linux).
emulator-images:
    dynamodb-local/recipe/build
    localstack/recipe/build

# Test the Compose overlays, with plain `docker compose`.
compose *overlays:
    compose/check {{ overlays }}

# Check the Terraform, without a provider and without an account; runs the end-to-end tests to record the services' calls.
terraform:
    mkdir -p target/terraform
    rm -f target/terraform/calls
    DEVENV_EMULATOR_CALLS=target/terraform/calls cargo devenv test --runtime process
    terraform/checks/run target/terraform/calls

# Create the bucket for Terraform's state, once per account: `just bootstrap dev`. See docs/aws.md.
bootstrap environment:
    terraform -chdir=terraform/bootstrap init
    terraform -chdir=terraform/bootstrap apply -state={{ environment }}.tfstate -var-file=../envs/{{ environment }}/account.tfvars.json -var-file=../envs/{{ environment }}/readers.tfvars.json

# Apply the foundation of an environment in AWS: `just foundation dev`. Prints its plan and asks. See docs/aws.md.
foundation environment:
    terraform -chdir=terraform/envs/{{ environment }}/foundation init -backend-config=../account.tfvars.json
    terraform -chdir=terraform/envs/{{ environment }}/foundation apply -var-file=../account.tfvars.json -var-file=../readers.tfvars.json

# Run hours of kills and load: rounds of kill -9 of the tool, then the crash tests under long load.
soak seconds="600":
    cargo build --release
    cargo run --release -q -p bench -- soak --rounds 500
    cargo run --release -q -p bench -- --runtime docker soak --rounds 50
    SOAK_SECONDS={{ seconds }} target/release/devenv test -- crash outage stock

# Run all of CI.
ci:
    bash .ci/run
