use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use devenv_cloud::{CloudError, CloudErrorKind, Condition, Object, Objects};
use devenv_model::names::short_digest;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::Faults;

type Buckets = BTreeMap<String, BTreeMap<String, Vec<u8>>>;

/// Buckets in memory. Like S3, it makes an ETag from the content: the same content written twice has the same ETag.
#[derive(Debug, Clone)]
pub struct FakeObjects {
    buckets: Arc<Mutex<Buckets>>,
    faults: Faults,
}

impl FakeObjects {
    pub fn new<'a>(faults: Faults, buckets: impl IntoIterator<Item = &'a str>) -> Self {
        let buckets = buckets.into_iter().map(|name| (name.to_owned(), BTreeMap::new())).collect();
        Self { buckets: Arc::new(Mutex::new(buckets)), faults }
    }

    /// Another client of the same buckets, with faults of its own.
    #[must_use]
    pub fn client(&self, faults: Faults) -> Self {
        Self { buckets: self.buckets.clone(), faults }
    }

    /// A copy of these buckets, with faults of its own.
    #[must_use]
    pub fn copied(&self, faults: Faults) -> Self {
        Self { buckets: Arc::new(Mutex::new(self.lock().clone())), faults }
    }

    /// Writes past every condition and fault, as another client does.
    pub fn overwrite(&self, bucket: &str, key: &str, content: impl Into<Vec<u8>>) {
        self.lock().entry(bucket.to_owned()).or_default().insert(key.to_owned(), content.into());
    }

    /// An existing bucket keeps its objects.
    pub fn add_bucket(&self, name: &str) {
        self.lock().entry(name.to_owned()).or_default();
    }

    pub fn remove(&self, bucket: &str, key: &str) {
        if let Some(bucket) = self.lock().get_mut(bucket) {
            bucket.remove(key);
        }
    }

    pub fn content(&self, bucket: &str, key: &str) -> Option<Vec<u8>> {
        self.lock().get(bucket)?.get(key).cloned()
    }

    /// In order.
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        self.lock().get(bucket).map(|bucket| bucket.keys().cloned().collect()).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Buckets> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, bucket: &str, key: &str, content: &[u8], condition: &Condition) -> Result<String, CloudError> {
        let failed = |cause: &str, kind| {
            Err(CloudError { action: format!("write {key} in {bucket}"), cause: cause.to_owned(), kind })
        };
        let mut buckets = self.lock();
        let Some(objects) = buckets.get_mut(bucket) else {
            return failed("NoSuchBucket", CloudErrorKind::NotFound);
        };
        match (condition, objects.get(key).map(|there| etag(there))) {
            (Condition::Absent, None) => {}
            (Condition::Matches(wanted), Some(there)) if *wanted == there => {}
            (Condition::Matches(_), None) => return failed("NoSuchKey", CloudErrorKind::NotFound),
            _ => return failed("PreconditionFailed", CloudErrorKind::Conflict),
        }
        objects.insert(key.to_owned(), content.to_vec());
        Ok(etag(content))
    }

    fn read(&self, bucket: &str, key: &str) -> Option<Object> {
        let content = self.content(bucket, key)?;
        Some(Object { etag: etag(&content), content })
    }

    /// The objects and the folders directly below a prefix.
    fn list(&self, bucket: &str, prefix: &str) -> Result<(Vec<String>, Vec<String>), CloudError> {
        let buckets = self.lock();
        let objects = buckets.get(bucket).ok_or_else(|| CloudError {
            action: format!("list {prefix} in {bucket}"),
            cause: "NoSuchBucket".to_owned(),
            kind: CloudErrorKind::NotFound,
        })?;
        let below: Vec<&str> = objects.keys().filter_map(|key| key.strip_prefix(prefix)).collect();
        let folders: BTreeSet<_> = below.iter().filter_map(|name| Some(name.split_once('/')?.0.to_owned())).collect();
        let files = below.iter().filter(|name| !name.is_empty() && !name.contains('/'));
        Ok((files.map(|name| (*name).to_owned()).collect(), folders.into_iter().collect()))
    }
}

fn etag(content: &[u8]) -> String {
    format!("\"{}\"", short_digest(content, 16))
}

impl Objects for FakeObjects {
    fn get<'a>(&'a self, bucket: &'a str, key: &'a str) -> BoxFuture<'a, Result<Option<Object>, CloudError>> {
        self.faults.meet(format!("get {bucket}/{key}"), || Ok(self.read(bucket, key))).boxed()
    }

    fn put<'a>(
        &'a self,
        bucket: &'a str,
        key: &'a str,
        content: Vec<u8>,
        condition: Condition,
    ) -> BoxFuture<'a, Result<String, CloudError>> {
        let call = format!("put {bucket}/{key}");
        self.faults.meet(call, move || self.write(bucket, key, &content, &condition)).boxed()
    }

    fn files<'a>(&'a self, bucket: &'a str, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, CloudError>> {
        self.faults.meet(format!("files {bucket}/{prefix}"), || Ok(self.list(bucket, prefix)?.0)).boxed()
    }

    fn folders<'a>(&'a self, bucket: &'a str, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, CloudError>> {
        self.faults.meet(format!("folders {bucket}/{prefix}"), || Ok(self.list(bucket, prefix)?.1)).boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Fault;

    fn objects() -> (Faults, FakeObjects) {
        let faults = Faults::default();
        (faults.clone(), FakeObjects::new(faults, ["state"]))
    }

    async fn put(objects: &FakeObjects, content: &str, condition: Condition) -> Result<String, CloudErrorKind> {
        objects.put("state", "a/lock", content.into(), condition).await.map_err(|error| error.kind)
    }

    #[tokio::test]
    async fn a_lost_answer_was_applied() {
        let (faults, objects) = objects();
        faults.on("put lock", 1, Fault::LostAndRetried);
        assert_eq!(put(&objects, "1", Condition::Absent).await, Err(CloudErrorKind::Conflict));
        let etag = objects.get("state", "a/lock").await.expect("no fault").expect("it was applied").etag;
        faults.on("put lock", 1, Fault::Lost);
        assert_eq!(put(&objects, "2", Condition::Matches(etag)).await, Err(CloudErrorKind::Unreachable));
        assert_eq!(objects.content("state", "a/lock").as_deref(), Some(&b"2"[..]));
        assert_eq!(faults.calls(), ["put state/a/lock", "get state/a/lock", "put state/a/lock"]);
        assert!(faults.all_happened());
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_lasts_for_its_time_or_its_calls() {
        let (faults, objects) = objects();
        faults.on("put", 1, Fault::RefusedFor(CloudErrorKind::Throttled, Duration::from_secs(10)));
        for _ in 0..3 {
            assert_eq!(put(&objects, "1", Condition::Absent).await, Err(CloudErrorKind::Throttled));
            tokio::time::advance(Duration::from_secs(3)).await;
        }
        tokio::time::advance(Duration::from_secs(1)).await;
        put(&objects, "1", Condition::Absent).await.expect("the time is over");
        faults.on_several("get", 2, 2, Fault::Refused(CloudErrorKind::Unreachable));
        let mut answers = Vec::new();
        for _ in 0..4 {
            answers.push(objects.get("state", "a/lock").await.is_ok());
        }
        assert_eq!(answers, [true, false, false, true]);
    }

    #[tokio::test]
    async fn somebody_else_comes_first() {
        let (faults, objects) = objects();
        let other = objects.clone();
        faults.on("put", 1, Fault::after(move || other.overwrite("state", "a/lock", "theirs")));
        assert_eq!(put(&objects, "mine", Condition::Absent).await, Err(CloudErrorKind::Conflict));
        assert_eq!(objects.content("state", "a/lock").as_deref(), Some(&b"theirs"[..]));
    }

    #[tokio::test]
    async fn a_caller_that_is_killed_does_not_go_on() {
        for (fault, applied) in [(Fault::Killed, None), (Fault::KilledAfter, Some(b"1".to_vec()))] {
            let (faults, objects) = objects();
            faults.on("put", 1, fault);
            tokio::select! {
                answer = put(&objects, "1", Condition::Absent) => panic!("it lives: {answer:?}"),
                () = faults.killed() => {}
            }
            assert_eq!(objects.content("state", "a/lock"), applied);
        }
    }
}
