//! The steps of a promotion, as its calls show them.

/// A call is in the step that this names, by the stage before it and by what it asks for.
pub(crate) fn step(mark: &str, call: &str) -> &'static str {
    let is_lock = call.ends_with("/releases/lock");
    let is_written = call.contains("/releases/");
    match mark {
        "" | "account" => "account",
        "after account" | "gate" => "gate",
        "after gate" | "foundation" => "foundation",
        "after foundation" | "lock" => "lock",
        "after lock" if call.ends_with("record.json") && call.starts_with("put") => "record: began",
        "after lock" if is_written && call.starts_with("put") && !is_lock => "keep",
        "after lock" => "lock",
        // Between two stages.
        "after push" => "record: pushed",
        "after plan" => "record: planned, applying",
        "after apply" => "record: waiting",
        "after wait" => "record: smoking",
        "after smoke" if is_lock => "unlock",
        "after smoke" => "record: live",
        "after roll back" | "failed roll back" if is_lock => "unlock",
        "after roll back" | "failed roll back" => "record: rolled back",
        "push" => "push",
        "plan" => "plan",
        "apply" => "apply",
        "wait" => "wait",
        "smoke" => "smoke",
        "roll back" => "roll back",
        failed if failed.starts_with("failed ") => "record: rolling back",
        other => panic!("no step is under {other}"),
    }
}

/// The order in which the table has them.
pub(crate) const ORDER: [&str; 20] = [
    "account",
    "gate",
    "foundation",
    "lock",
    "record: began",
    "keep",
    "push",
    "record: pushed",
    "plan",
    "record: planned, applying",
    "apply",
    "record: waiting",
    "wait",
    "record: smoking",
    "smoke",
    "record: live",
    "record: rolling back",
    "roll back",
    "record: rolled back",
    "unlock",
];
