//! The environment's own bucket: a record of each promotion with its files, the live pointer, and the lock.

use std::sync::Arc;

use devenv_cloud::{CloudError, CloudErrorKind, Condition, Object, Objects};
use devenv_releases::format::FormatError;
use devenv_releases::id::compare_ids;
use devenv_releases::pointer::Pointer;
use devenv_releases::record::{Record, Release};
use devenv_releases::standing::Standing;

use crate::clock::WallClock;
use crate::error::Error;
use crate::retry::{Retry, retry};

/// How many records to search for the last live one in a bucket without a live pointer.
const LOOK_BACK: usize = 1000;

/// The objects below `ENV/releases/`.
#[derive(Debug, Clone)]
pub struct Ledger {
    pub objects: Arc<dyn Objects>,
    pub bucket: String,
    pub environment: String,
    pub clock: Arc<dyn WallClock>,
}

/// The contents of the bucket, as far as a promotion needs them.
#[derive(Debug, Default)]
pub struct Survey {
    pub standing: Standing,
    /// Oldest first.
    pub ids: Vec<String>,
    /// The live pointer and its ETag; `None` before the first release.
    pub pointer: Option<(Pointer, String)>,
    /// The number of records read without finding the live one. `None` when the live release is known.
    pub exhausted: Option<usize>,
}

impl Ledger {
    fn prefix(&self) -> String {
        format!("{}/releases/", self.environment)
    }

    pub fn key(&self, id: &str, file: &str) -> String {
        format!("{}{id}/{file}", self.prefix())
    }

    pub fn record_key(&self, id: &str) -> String {
        self.key(id, "record.json")
    }

    pub fn lock_key(&self) -> String {
        format!("{}lock", self.prefix())
    }

    fn pointer_key(&self) -> String {
        format!("{}live", self.prefix())
    }

    pub async fn get(&self, key: &str) -> Result<Option<Object>, CloudError> {
        retry(|| self.objects.get(&self.bucket, key)).await
    }

    /// Writes an object if the condition holds, and returns its ETag. If the answer to a write is lost, the client or this
    /// function sends it again, and the repetition meets its own success: a conflict with the same content is no conflict.
    pub async fn put(&self, key: &str, content: Vec<u8>, condition: Condition) -> Result<String, CloudError> {
        let mut retry = Retry::new();
        loop {
            let put = self.objects.put(&self.bucket, key, content.clone(), condition.clone());
            match put.await {
                Ok(etag) => return Ok(etag),
                Err(error) if error.kind == CloudErrorKind::Conflict => match self.get(key).await? {
                    Some(there) if there.content == content => return Ok(there.etag),
                    // S3 may refuse both of two simultaneous writes.
                    there if holds(&condition, there.as_ref()) && retry.pause().await => {}
                    _ => return Err(error),
                },
                Err(error) => retry.after(error).await?,
            }
        }
    }

    pub fn unusable(&self, key: String, error: FormatError) -> Error {
        Error::Unusable { bucket: self.bucket.clone(), key, error }
    }

    /// Oldest first.
    async fn ids(&self) -> Result<Vec<String>, CloudError> {
        let mut ids = {
            let prefix = self.prefix();
            retry(|| self.objects.folders(&self.bucket, &prefix)).await?
        };
        ids.sort_by(|one, other| compare_ids(one, other));
        Ok(ids)
    }

    /// The record and its ETag.
    pub async fn read(&self, id: &str) -> Result<Option<(Record, String)>, Error> {
        let key = self.record_key(id);
        let Some(object) = self.get(&key).await? else {
            return Ok(None);
        };
        let record = Record::read(&object.content).map_err(|error| self.unusable(key, error))?;
        Ok(Some((record, object.etag)))
    }

    async fn pointer(&self) -> Result<Option<(Pointer, String)>, Error> {
        let key = self.pointer_key();
        let Some(object) = self.get(&key).await? else {
            return Ok(None);
        };
        let pointer = Pointer::read(&object.content).map_err(|error| self.unusable(key, error))?;
        Ok(Some((pointer, object.etag)))
    }

    /// Newest first. An unusable record is an item, not an error.
    pub async fn history(&self, limit: usize) -> Result<Vec<Result<Record, Error>>, Error> {
        let mut records = Vec::new();
        for id in self.ids().await?.iter().rev().take(limit) {
            match self.read(id).await {
                Ok(Some((record, _))) => records.push(Ok(record)),
                Ok(None) => {}
                Err(error @ Error::Unusable { .. }) => records.push(Err(error)),
                Err(error) => return Err(error),
            }
        }
        Ok(records)
    }

    /// The live release. An error if the records cannot tell.
    pub async fn standing(&self) -> Result<Standing, Error> {
        let survey = self.survey().await?;
        survey.known(&self.environment)?;
        Ok(survey.standing)
    }

    /// Reads the live pointer and every newer record; without a pointer, every record back to the last live one. An unreadable
    /// record is an error: it could be the live one.
    pub async fn survey(&self) -> Result<Survey, Error> {
        let pointer = self.pointer().await?;
        let ids = self.ids().await?;
        let pointed = pointer.as_ref().map(|(pointer, _)| &pointer.record);
        let is_newer = |id: &&String| pointed.is_none_or(|pointed| compare_ids(id, &pointed.id).is_gt());
        let mut records = Vec::new();
        let mut exhausted = None;
        for id in ids.iter().rev().take_while(is_newer) {
            if pointed.is_none() && records.len() == LOOK_BACK {
                exhausted = Some(LOOK_BACK);
                break;
            }
            if let Some((record, _)) = self.read(id).await? {
                let is_live = record.is_live();
                records.push(record);
                if is_live {
                    break;
                }
            }
        }
        let mut standing = Standing::of(pointed.cloned(), records);
        if let Some(live) = standing.live.as_mut().filter(|live| live.names_what_it_left()) {
            live.previous = self.before(&live.release.id).await?;
        }
        Ok(Survey { standing, ids, pointer, exhausted })
    }

    /// The release that was live before this one; `None` if it is unknown.
    pub async fn before(&self, release: &str) -> Result<Option<Release>, Error> {
        let record = self.read(release).await?.map(|(record, _)| record);
        Ok(record.filter(Record::is_live).and_then(|record| record.previous))
    }

    /// Keeps a file beside a record.
    pub async fn keep(&self, id: &str, file: &str, content: Vec<u8>) -> Result<(), CloudError> {
        self.put(&self.key(id, file), content, Condition::Absent).await.map(drop)
    }

    /// Points at an ended record, unless the existing pointer is newer. The caller holds the lock. `etag` is the last known one
    /// of the pointer, and becomes the new one.
    pub async fn point(&self, record: &Record, etag: &mut Option<String>) -> Result<(), Error> {
        let (key, content) = (self.pointer_key(), Pointer::new(record.clone()).to_json());
        let condition = |etag: Option<String>| etag.map_or(Condition::Absent, Condition::Matches);
        let written = match self.put(&key, content.clone(), condition(etag.clone())).await {
            Err(error) if error.kind == CloudErrorKind::Conflict => match self.pointer().await? {
                // An earlier write of this run, whose answer was lost.
                Some((there, etag)) if compare_ids(&there.record.id, &record.id).is_le() => {
                    self.put(&key, content, condition(Some(etag))).await?
                }
                _ => return Err(error.into()),
            },
            written => written?,
        };
        *etag = Some(written);
        Ok(())
    }
}

impl Survey {
    pub fn known(&self, environment: &str) -> Result<(), Error> {
        match self.exhausted {
            None => Ok(()),
            Some(records) => Err(Error::LookBack { environment: environment.to_owned(), records }),
        }
    }

    /// Every known id.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        let pointed = self.pointer.iter().map(|(pointer, _)| pointer.record.id.as_str());
        self.ids.iter().map(String::as_str).chain(pointed)
    }
}

fn holds(condition: &Condition, there: Option<&Object>) -> bool {
    match condition {
        Condition::Absent => there.is_none(),
        Condition::Matches(etag) => there.is_some_and(|there| there.etag == *etag),
    }
}
