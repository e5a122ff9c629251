//! A mapping of any source, made of its settings.

use std::collections::BTreeMap;
use std::sync::Arc;

use devenv_model::functions::EventSource;
use devenv_model::messaging::{ACCOUNT, queue_arn};
use devenv_resources::endpoint::{DUMMY, Endpoint};
use devenv_resources::function_host::settings::{HostSettings, HostedMapping, UnitRunner};
use devenv_stream_source::client::AwsStreams;
use devenv_stream_source::settings::StreamSettings;
use tokio::sync::watch;

use super::checkpoint::CheckpointFile;
use super::filter::Filters;
use super::poller::QueuePoller;
use super::queue::SqsQueue;
use super::settings::{MappingSettings, is_enabled, reports_failures};
use super::state::MappingState;
use super::stream::StreamPoller;
use crate::function::Function;

#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) state: Arc<MappingState>,
    pub(crate) is_enabled: bool,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Queue(Box<QueuePoller>),
    Stream(Box<StreamPoller>),
}

impl Work {
    /// The work of a mapping, or the reason why there is none.
    pub(crate) fn of(
        host: &HostSettings,
        mapping: &HostedMapping,
        functions: &BTreeMap<String, Arc<Function>>,
    ) -> Result<Self, String> {
        let function = functions.get(&mapping.function);
        let function = function.ok_or_else(|| format!("there is no function {}", mapping.function))?;
        let definition = &mapping.definition;
        let is_enabled = is_enabled(definition);
        let state = |source_arn: String| {
            let (arn, definition) = (function.settings.arn.clone(), definition.clone());
            Arc::new(MappingState::new(&mapping.name, arn, source_arn, is_enabled, definition))
        };
        let in_container = host.runner == UnitRunner::Containers;
        let parse = if in_container { Endpoint::on_network } else { Endpoint::parse };
        let endpoint = |url: &str| parse(url).map_err(|error| error.to_string());
        let (function, region) = (Arc::clone(function), host.region.clone());
        let (state, source) = match &mapping.source {
            EventSource::Queue(name) => {
                let queue_arn = queue_arn(&region, name);
                let state = state(queue_arn.clone());
                let queue = Arc::new(SqsQueue::new(&endpoint(&host.queues)?, &region, name));
                let settings = MappingSettings::of_queue(definition)?;
                let poller = QueuePoller { settings, function, queue, queue_arn, region, state: Arc::clone(&state) };
                (state, Source::Queue(Box::new(poller)))
            }
            EventSource::Stream(table) => {
                let state = state(format!("arn:aws:dynamodb:{region}:{ACCOUNT}:table/{table}/stream"));
                let checkpoint = CheckpointFile::within(&host.data, &mapping.name);
                let poller = StreamPoller {
                    settings: StreamSettings::of(definition),
                    reports_failures: reports_failures(definition),
                    filters: Filters::of(&definition["FilterCriteria"])?,
                    table: table.clone(),
                    service: Arc::new(AwsStreams::new(endpoint(&host.streams)?, &region, DUMMY)),
                    region,
                    function,
                    checkpoint: checkpoint.map_err(|error| format!("cannot keep its checkpoint: {error}"))?,
                    state: Arc::clone(&state),
                };
                (state, Source::Stream(Box::new(poller)))
            }
        };
        Ok(Self { state, is_enabled, source })
    }

    /// The number of tasks that work at the same time.
    pub(crate) fn workers(&self) -> usize {
        match &self.source {
            _ if !self.is_enabled => 0,
            Source::Queue(poller) => poller.workers(),
            Source::Stream(_) => 1,
        }
    }

    /// Handles one batch after the other until `stop` turns true.
    pub(crate) async fn run(&self, stop: watch::Receiver<bool>) {
        match &self.source {
            Source::Queue(poller) => poller.work(stop).await,
            Source::Stream(poller) => poller.work(stop).await,
        }
    }
}
