/// The tables of queues. Times are milliseconds since 1970. A queue's id is never used again, so that a receipt handle of a
/// deleted queue fits no other.
pub(crate) const SCHEMA: &str = "
CREATE TABLE queues (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    region TEXT NOT NULL,
    created INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    attributes TEXT NOT NULL,
    tags TEXT NOT NULL
);

CREATE TABLE messages (
    id INTEGER PRIMARY KEY,
    queue INTEGER NOT NULL,
    visible_at INTEGER NOT NULL,
    is_received INTEGER NOT NULL,
    receives INTEGER NOT NULL,
    sent INTEGER NOT NULL,
    first_received INTEGER,
    last_received INTEGER,
    message_id TEXT NOT NULL,
    sequence INTEGER,
    group_id TEXT,
    deduplication_id TEXT,
    dead_letter_source TEXT,
    trace TEXT,
    attributes TEXT,
    body TEXT NOT NULL
);
CREATE INDEX messages_by_visibility ON messages (queue, visible_at, is_received);
CREATE INDEX messages_by_group ON messages (queue, group_id, id) WHERE sequence IS NOT NULL;
CREATE INDEX messages_in_flight_by_group ON messages (queue, group_id, visible_at)
    WHERE sequence IS NOT NULL AND is_received = 1;

CREATE TABLE message_groups (
    queue INTEGER NOT NULL,
    name TEXT NOT NULL,
    head INTEGER NOT NULL,
    available_at INTEGER NOT NULL,
    PRIMARY KEY (queue, name)
) WITHOUT ROWID;
CREATE INDEX message_groups_by_head ON message_groups (queue, head);

CREATE TABLE deduplications (
    queue INTEGER NOT NULL,
    scope TEXT NOT NULL,
    id TEXT NOT NULL,
    at INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (queue, scope, id)
) WITHOUT ROWID;
CREATE INDEX deduplications_by_time ON deduplications (at);

CREATE TABLE receive_attempts (
    queue INTEGER NOT NULL,
    id TEXT NOT NULL,
    at INTEGER NOT NULL,
    receipts TEXT NOT NULL,
    PRIMARY KEY (queue, id)
) WITHOUT ROWID;
CREATE INDEX receive_attempts_by_time ON receive_attempts (at);

CREATE TABLE move_tasks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    destination TEXT,
    per_second INTEGER,
    status TEXT NOT NULL,
    started INTEGER NOT NULL,
    to_move INTEGER NOT NULL,
    moved INTEGER NOT NULL,
    failure TEXT
);
CREATE INDEX move_tasks_by_source ON move_tasks (source, id);
";
