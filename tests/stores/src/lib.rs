//! Only tests: see `tests/stores`.
