//! The ids of records. They sort by the order in which their promotions held the lock, independently of any clock.

use std::cmp::Ordering;

/// The number in an id such as `r000042-1a2b3c4d5e6f7081`. `None` for one of the older form, which began with a time
/// (`20261121T100000123Z-1a2b3c4d`) and sorts before every numbered id.
fn number(id: &str) -> Option<u64> {
    id.strip_prefix('r')?.split_once('-')?.0.parse().ok()
}

/// Oldest first.
pub fn compare_ids(one: &str, other: &str) -> Ordering {
    number(one).cmp(&number(other)).then_with(|| one.cmp(other))
}

/// The id after all of `known`, for the holder of the lock. `random` distinguishes it from the id of a former holder that has not
/// noticed the loss of its lock.
pub fn next_id<'a>(known: impl IntoIterator<Item = &'a str>, random: &str) -> String {
    let newest = known.into_iter().filter_map(number).max().unwrap_or(0);
    format!("r{:06}-{random}", newest.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_id_comes_after_all_before_it() {
        let mut ids = vec!["20271121T100000123Z-1a2b3c4d".to_owned(), "20261121T100000123Z-ffffffff".to_owned()];
        for random in ["ff", "00", "7a"] {
            let next = next_id(ids.iter().map(String::as_str), random);
            assert!(ids.iter().all(|id| compare_ids(id, &next).is_lt()), "{next}: {ids:?}");
            ids.insert(0, next);
        }
        ids.sort_by(|one, other| compare_ids(one, other));
        assert_eq!(
            ids,
            ["20261121T100000123Z-ffffffff", "20271121T100000123Z-1a2b3c4d", "r000001-ff", "r000002-00", "r000003-7a"]
        );
        let mut sorted = ids.clone();
        sorted.sort();
        assert_eq!(sorted, ids, "a listing of the bucket has them in this order too");
        assert!(compare_ids("r999999-00", "r1000000-00").is_lt());
    }

    #[test]
    fn a_name_that_is_no_id_has_no_number() {
        assert_eq!(next_id(["r-1", "rx-1", "release", ""], "0a"), "r000001-0a");
    }
}
