use devenv_promotion::{CloudErrorKind, Condition, Objects};
use futures_util::StreamExt;
use futures_util::stream;

use crate::BUCKET;

/// More than one page of a listing.
const MANY: usize = 1_005;
const AT_ONCE: usize = 32;

async fn put(objects: &dyn Objects, key: &str, text: &str, condition: Condition) -> Result<String, CloudErrorKind> {
    objects.put(BUCKET, key, text.into(), condition).await.map_err(|error| error.kind)
}

async fn text(objects: &dyn Objects, key: &str) -> (String, String) {
    let object = objects.get(BUCKET, key).await.expect("readable").expect("it is there");
    (String::from_utf8(object.content).expect("text"), object.etag)
}

pub(crate) async fn conditions_hold(objects: &dyn Objects) {
    let key = "conditions/lock";
    let first = put(objects, key, "1", Condition::Absent).await.expect("nothing is there");
    assert_eq!(text(objects, key).await, ("1".to_owned(), first.clone()), "the ETag of a write is that of a read");
    assert_eq!(put(objects, key, "2", Condition::Absent).await, Err(CloudErrorKind::Conflict));
    assert_eq!(put(objects, key, "1", Condition::Absent).await, Err(CloudErrorKind::Conflict), "its own success");

    let second = put(objects, key, "2", Condition::Matches(first.clone())).await.expect("it matches");
    assert_ne!(first, second);
    assert_eq!(put(objects, key, "3", Condition::Matches(first.clone())).await, Err(CloudErrorKind::Conflict));
    assert_eq!(text(objects, key).await, ("2".to_owned(), second.clone()), "a refused write leaves what was there");
    let again = put(objects, key, "2", Condition::Matches(second.clone())).await.expect("it matches");
    assert_eq!(again, second, "the same content has the same ETag");
    let back = put(objects, key, "1", Condition::Matches(second)).await.expect("it matches");
    assert_eq!(back, first, "also after another one");

    let absent = put(objects, "conditions/absent", "1", Condition::Matches(first)).await;
    assert_eq!(absent, Err(CloudErrorKind::NotFound), "nothing matches what is not there");
}

pub(crate) async fn what_is_absent_is_told_from_what_fails(objects: &dyn Objects) {
    assert_eq!(objects.get(BUCKET, "absent").await, Ok(None));
    assert_eq!(objects.folders(BUCKET, "absent/").await, Ok(Vec::new()));
    let written = objects.put("no-such-bucket", "a", Vec::new(), Condition::Absent).await;
    assert_eq!(written.map_err(|error| error.kind), Err(CloudErrorKind::NotFound));
    let listed = objects.folders("no-such-bucket", "a/").await;
    assert_eq!(listed.map_err(|error| error.kind), Err(CloudErrorKind::NotFound));
    let key = "absent/empty";
    put(objects, key, "", Condition::Absent).await.expect("nothing is there");
    assert_eq!(text(objects, key).await.0, "", "an empty object is there");
}

pub(crate) async fn folders_are_listed_whole(objects: &dyn Objects) {
    for key in ["list/b/record", "list/a/record", "list/a/tree/deep", "list/lock", "lists/c/record"] {
        put(objects, key, key, Condition::Absent).await.expect("nothing is there");
    }
    assert_eq!(objects.folders(BUCKET, "list/").await, Ok(vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(objects.files(BUCKET, "list/").await, Ok(vec!["lock".to_owned()]), "and the objects beside them");
    assert_eq!(objects.files(BUCKET, "nowhere/").await, Ok(Vec::new()));
    let written = stream::iter(0..MANY).map(|number| async move {
        put(objects, &format!("many/{number:05}/record"), "x", Condition::Absent).await.expect("nothing is there");
    });
    written.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
    let names: Vec<String> = (0..MANY).map(|number| format!("{number:05}")).collect();
    assert_eq!(objects.folders(BUCKET, "many/").await, Ok(names), "every page, in order");
}
