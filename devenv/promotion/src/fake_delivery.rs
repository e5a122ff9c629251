//! A scheduler in memory that shows a list of views, one per look and the last one for ever.

use std::collections::BTreeMap;
use std::sync::Mutex;

use devenv_releases::rollout::{ContainerEnd, RolloutView, WantedRelease};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};

use crate::cloud::CloudError;
use crate::delivery::{Rollout, Scheduler};

#[derive(Debug, Default)]
pub(crate) struct FakeScheduler {
    views: Mutex<BTreeMap<String, Vec<Option<RolloutView>>>>,
}

struct FakeRollout<'a> {
    scheduler: &'a FakeScheduler,
    service: &'a str,
}

/// A view with two desired instances.
pub(crate) fn view(wanted: WantedRelease, ready: u32) -> RolloutView {
    RolloutView { wanted, desired: 2, ready, others: 0, ends: Vec::new(), doubt: None }
}

impl FakeScheduler {
    pub(crate) fn showing(service: &str, views: impl IntoIterator<Item = Option<RolloutView>>) -> Self {
        // `pop` takes the next view from the end.
        let views: Vec<_> = views.into_iter().collect::<Vec<_>>().into_iter().rev().collect();
        Self { views: Mutex::new([(service.to_owned(), views)].into()) }
    }

    fn next(&self, service: &str) -> Option<RolloutView> {
        let mut views = self.views.lock().expect("not poisoned");
        let views = views.get_mut(service)?;
        if views.len() > 1 { views.pop().flatten() } else { views.first().cloned().flatten() }
    }
}

impl Scheduler for FakeScheduler {
    fn rollout<'a>(
        &'a self,
        service: &'a str,
        _: &'a str,
        _: &'a str,
    ) -> BoxFuture<'a, Result<Box<dyn Rollout + 'a>, CloudError>> {
        ready(Ok(Box::new(FakeRollout { scheduler: self, service }) as Box<dyn Rollout>)).boxed()
    }

    fn desired<'a>(&'a self, service: &'a str) -> BoxFuture<'a, Result<Option<u32>, CloudError>> {
        ready(Ok(self.next(service).map(|view| view.desired))).boxed()
    }

    fn scale<'a>(&'a self, _: &'a str, _: u32) -> BoxFuture<'a, Result<(), CloudError>> {
        ready(Ok(())).boxed()
    }
}

impl Rollout for FakeRollout<'_> {
    fn view(&self) -> BoxFuture<'_, Result<Option<RolloutView>, CloudError>> {
        ready(Ok(self.scheduler.next(self.service))).boxed()
    }

    fn log<'a>(&'a self, end: &'a ContainerEnd) -> BoxFuture<'a, Vec<String>> {
        ready(vec![format!("the last words of {}", end.task)]).boxed()
    }
}
