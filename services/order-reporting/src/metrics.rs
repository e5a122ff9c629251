use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use order_domain::Moment;
use order_service::Metrics;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric},
    metrics::{
        MetricType,
        counter::Counter,
        family::Family,
        gauge::{ConstGauge, Gauge},
        histogram::Histogram,
    },
};

use crate::{
    database::{Applied, Store},
    event::Settlement,
};

/// Upper bounds of the buckets of durations, in seconds. A delay contains the time in the outbox and in the queue.
const BUCKETS: [f64; 13] = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 300.0, 3600.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

const PROCESSED: OutcomeLabels = OutcomeLabels { outcome: "processed" };
const DUPLICATE: OutcomeLabels = OutcomeLabels { outcome: "duplicate" };
const POISONED: OutcomeLabels = OutcomeLabels { outcome: "poisoned" };

/// The metrics of a consumer.
#[derive(Clone)]
pub struct ConsumerMetrics {
    events: Family<OutcomeLabels, Counter>,
    database_failures: Counter,
    queue_failures: Counter,
    running: Gauge,
    batches: Histogram,
    delays: Histogram,
    /// The time of the newest event, in microseconds since the Unix epoch; 0 before the first one.
    newest: Newest,
}

/// Counts a running batch until dropped.
pub(crate) struct Running(Gauge);

#[derive(Debug, Clone, Default)]
struct Newest(Arc<AtomicI64>);

impl ConsumerMetrics {
    pub fn register(metrics: &Metrics) -> Self {
        let histogram = || Histogram::new(BUCKETS);
        let own = Self {
            events: Family::default(),
            database_failures: Counter::default(),
            queue_failures: Counter::default(),
            running: Gauge::default(),
            batches: histogram(),
            delays: histogram(),
            newest: Newest::default(),
        };
        // Create the series at the start: an alarm on an absent series does not fire.
        for labels in [PROCESSED, DUPLICATE, POISONED] {
            drop(own.events.get_or_create(&labels));
        }
        metrics.register(|registry| {
            registry.register("reporting_events", "Events received, by outcome", own.events.clone());
            let failures = "Attempts to count events that the database did not answer or refused for now";
            registry.register("reporting_database_failures", failures, own.database_failures.clone());
            registry.register("reporting_queue_failures", "Failed calls of the queue", own.queue_failures.clone());
            registry.register("reporting_batches_running", "Batches that are being counted", own.running.clone());
            registry.register("reporting_batch_duration_seconds", "Time to count a batch", own.batches.clone());
            let delays = "Time from the settlement of an order to the commit of its event";
            registry.register("reporting_event_delay_seconds", delays, own.delays.clone());
            registry.register_collector(Box::new(own.newest.clone()));
        });
        own
    }

    pub(crate) fn counted(&self, applied: &Applied, batch: &[Settlement]) {
        self.add(&PROCESSED, applied.counted);
        self.add(&DUPLICATE, applied.duplicates);
        let now = Moment::now().as_microseconds();
        for event in batch {
            let time = event.occurred_at.as_microseconds();
            self.newest.0.fetch_max(time, Ordering::Relaxed);
            if applied.duplicates == 0 {
                self.delays.observe(Duration::from_micros((now - time).max(0).unsigned_abs()).as_secs_f64());
            }
        }
    }

    pub(crate) fn poisoned(&self) {
        self.add(&POISONED, 1);
    }

    pub(crate) fn database_failed(&self) {
        self.database_failures.inc();
    }

    pub(crate) fn queue_failed(&self) {
        self.queue_failures.inc();
    }

    pub(crate) fn running(&self) -> Running {
        self.running.inc();
        Running(self.running.clone())
    }

    pub(crate) fn batch(&self, duration: Duration) {
        self.batches.observe(duration.as_secs_f64());
    }

    fn add(&self, labels: &OutcomeLabels, events: usize) {
        self.events.get_or_create(labels).inc_by(events.try_into().unwrap_or(u64::MAX));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Collector for Newest {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let newest = self.0.load(Ordering::Relaxed);
        if newest == 0 {
            return Ok(());
        }
        let age = Duration::from_micros((Moment::now().as_microseconds() - newest).max(0).unsigned_abs());
        let help = "Age of the newest event that was counted";
        let metric = encoder.encode_descriptor("reporting_newest_event_age_seconds", help, None, MetricType::Gauge)?;
        ConstGauge::new(age.as_secs_f64()).encode(metric)
    }
}

/// Shows the use of the database's connections.
pub(crate) fn register_connections(metrics: &Metrics, store: &Store) {
    metrics.register(|registry| registry.register_collector(Box::new(Connections(Mutex::new(store.clone())))));
}

struct Connections(Mutex<Store>);

impl fmt::Debug for Connections {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Connections")
    }
}

impl Collector for Connections {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let (used, most) = self.0.lock().unwrap_or_else(PoisonError::into_inner).connections();
        for (name, help, value) in [
            ("database_connections_used", "Connections to the database in use", used),
            ("database_connections_limit", "The largest number of connections to the database", most),
        ] {
            let value = i64::try_from(value).unwrap_or(i64::MAX);
            ConstGauge::new(value).encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)?;
        }
        Ok(())
    }
}
