-- The events that the figures contain. An event counts once, because its id is inserted in the transaction that adds it.
CREATE TABLE processed_events (
    event_id uuid PRIMARY KEY,
    occurred_at timestamptz NOT NULL,
    processed_at timestamptz NOT NULL DEFAULT now()
);

-- The newest event, for the lag that the reports show.
CREATE INDEX processed_events_by_time ON processed_events (occurred_at);

-- Identifiers are compared by their bytes: pages of a report then have one order, whatever the server's locale.
CREATE TABLE product_days (
    key text COLLATE "C" NOT NULL,
    day date NOT NULL,
    confirmed_orders bigint NOT NULL,
    rejected_orders bigint NOT NULL,
    confirmed_quantity bigint NOT NULL,
    rejected_quantity bigint NOT NULL,
    -- A total is at most 2^53, so that a bigint would overflow after a thousand of them.
    revenue numeric NOT NULL,
    PRIMARY KEY (key, day)
);

CREATE TABLE customer_days (LIKE product_days INCLUDING ALL);

-- All products and customers together; `key` is empty.
CREATE TABLE days (LIKE product_days INCLUDING ALL);
