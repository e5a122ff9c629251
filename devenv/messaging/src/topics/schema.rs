/// The tables of topics and subscriptions. Attributes and tags are JSON objects of texts, only those that were set.
pub(crate) const SCHEMA: &str = "
CREATE TABLE topics (
    name TEXT PRIMARY KEY,
    arn TEXT NOT NULL,
    is_fifo INTEGER NOT NULL,
    attributes TEXT NOT NULL,
    tags TEXT NOT NULL,
    -- How many subscriptions were removed.
    removed INTEGER NOT NULL DEFAULT 0,
    -- The sequence number of the last message, in a FIFO topic.
    sequence INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE subscriptions (
    id INTEGER PRIMARY KEY,
    arn TEXT NOT NULL UNIQUE,
    topic TEXT NOT NULL,
    protocol TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    attributes TEXT NOT NULL,
    -- The token that confirms it; NULL afterwards.
    token TEXT,
    UNIQUE (topic, protocol, endpoint)
) STRICT;
-- The messages of FIFO topics that a repetition is compared with.
CREATE TABLE published (
    topic TEXT NOT NULL,
    -- The message group if it is the scope of deduplication, otherwise empty.
    scope TEXT NOT NULL,
    id TEXT NOT NULL,
    message_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    -- Milliseconds since 1970.
    at INTEGER NOT NULL,
    PRIMARY KEY (topic, scope, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX published_at ON published (at);
-- Requests to HTTP endpoints that are not answered yet.
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY,
    subscription TEXT NOT NULL,
    topic TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    kind TEXT NOT NULL,
    message_id TEXT NOT NULL,
    is_raw INTEGER NOT NULL,
    body TEXT NOT NULL,
    -- The ARN of the queue for a message that is given up.
    dead_letters TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    -- Milliseconds since 1970.
    due INTEGER NOT NULL
) STRICT;
CREATE INDEX deliveries_due ON deliveries (due);
";

/// An index that files of earlier programs lack.
pub(crate) const LATER: &str =
    "CREATE INDEX IF NOT EXISTS deliveries_by_subscription ON deliveries (subscription, due, id);";
