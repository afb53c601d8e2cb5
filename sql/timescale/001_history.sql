-- What a session leaves behind. A session is the life of its topics: its id is the id of the topic trading.events.
-- Every table's key is the session, then the event's own id, so that an event read twice is one row.
-- Event times: timestamptz (microseconds) to ask with, and the nanoseconds beside it.
CREATE EXTENSION IF NOT EXISTS timescaledb;

CREATE TABLE sessions (
    session_id      text PRIMARY KEY,
    topic_prefix    text NOT NULL,
    writer_epoch    bigint NOT NULL,            -- of the newest loader; an older one may not write
    first_loaded_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE loader_offsets (                   -- written in the transaction of the rows that they stand for
    session_id   text NOT NULL,
    topic        text NOT NULL,
    partition    integer NOT NULL,
    next_offset  bigint NOT NULL,
    writer_epoch bigint NOT NULL,
    updated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (session_id, topic, partition)
);

CREATE TABLE loader_status (                    -- one row a session: what its loader last said of itself
    session_id      text PRIMARY KEY,
    writer_epoch    bigint NOT NULL,
    process         text NOT NULL,              -- host:pid
    started_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    records_behind  bigint NOT NULL,            -- Kafka records not yet loaded
    rows_loaded     bigint NOT NULL,            -- by this process, repeated ones not counted
    rows_per_second real NOT NULL,
    bad_records     bigint NOT NULL
);

CREATE TABLE instruments (                      -- of the strategy file, where the loader was given it
    session_id text NOT NULL,
    instrument text NOT NULL,
    venue      text NOT NULL,
    symbol     text NOT NULL,
    tick_size  double precision NOT NULL,
    lot_size   double precision NOT NULL,
    currency   text NOT NULL,
    PRIMARY KEY (session_id, instrument)
);

CREATE TABLE pairs (
    session_id text NOT NULL,
    pair       text NOT NULL,
    a          text NOT NULL,
    b          text NOT NULL,
    beta       double precision NOT NULL,
    shard      integer NOT NULL,
    PRIMARY KEY (session_id, pair)
);

CREATE TABLE ticks (                            -- home ticks: each once, whatever shards it went to
    session_id   text NOT NULL,
    venue        text NOT NULL,
    feed_session text NOT NULL,
    sequence     bigint NOT NULL,
    event_time   timestamptz NOT NULL,
    instrument   text NOT NULL,
    kind         text NOT NULL,                 -- quote, trade
    flags        integer NOT NULL,              -- bits: 2 late, 4 after a gap, 8 locked, 16 buyer was the aggressor
    event_ns     bigint NOT NULL,
    receive_ns   bigint NOT NULL,
    frame        bigint NOT NULL,
    bid          double precision NOT NULL,     -- of a trade: its price and quantity, on both sides
    bid_size     double precision NOT NULL,
    ask          double precision NOT NULL,
    ask_size     double precision NOT NULL,
    -- The id is (venue, feed_session, sequence). Time first: new ticks go to the index's end, comparisons end at the
    -- time, and one index serves the queries too. The id in its own order took twice the time a row, a second index
    -- by instrument as much again.
    PRIMARY KEY (session_id, event_time, sequence, feed_session, venue)
);
SELECT create_hypertable('ticks', 'event_time', chunk_time_interval => INTERVAL '1 day', create_default_indexes => FALSE);

CREATE TABLE spreads (                          -- crossings and samples; heartbeats are not kept
    session_id    text NOT NULL,
    shard         integer NOT NULL,
    pair          text NOT NULL,
    sequence      bigint NOT NULL,
    event_time    timestamptz NOT NULL,
    event_ns      bigint NOT NULL,
    kind          text NOT NULL,                -- crossing, sample
    rung          integer NOT NULL,
    z             double precision NOT NULL,
    spread        double precision NOT NULL,
    mean          double precision NOT NULL,
    std           double precision NOT NULL,
    beta          double precision NOT NULL,
    mid_a         double precision NOT NULL,
    mid_b         double precision NOT NULL,
    tick_session  text NOT NULL,
    tick_sequence bigint NOT NULL,
    PRIMARY KEY (session_id, pair, event_time, sequence, shard)
);
SELECT create_hypertable('spreads', 'event_time', chunk_time_interval => INTERVAL '1 day', create_default_indexes => FALSE);

CREATE TABLE bars_1m (
    session_id text NOT NULL,
    venue      text NOT NULL,
    instrument text NOT NULL,
    start_time timestamptz NOT NULL,
    closed_at  timestamptz NOT NULL,            -- shard time at which it closed
    shard      integer NOT NULL,
    open       double precision NOT NULL,
    high       double precision NOT NULL,
    low        double precision NOT NULL,
    close      double precision NOT NULL,
    volume     double precision NOT NULL,
    trades     bigint NOT NULL,
    quotes     bigint NOT NULL,
    bid        double precision NOT NULL,
    ask        double precision NOT NULL,
    PRIMARY KEY (session_id, venue, instrument, start_time)
);

CREATE TABLE signals (
    session_id     text NOT NULL,
    event_id       text NOT NULL,
    account        text NOT NULL,
    event_time     timestamptz NOT NULL,
    event_ns       bigint NOT NULL,
    name           text NOT NULL,
    version        text NOT NULL,
    pair           text NOT NULL,
    action         text NOT NULL,               -- enter_long, enter_short, exit
    z              double precision NOT NULL,
    spread         double precision NOT NULL,
    beta           double precision NOT NULL,
    mid_a          double precision NOT NULL,
    mid_b          double precision NOT NULL,
    shard          integer NOT NULL,
    first_sequence bigint NOT NULL,
    last_sequence  bigint NOT NULL,
    PRIMARY KEY (session_id, event_id)
);

CREATE TABLE orders (                           -- every decision of the trader, refusals too
    session_id      text NOT NULL,
    client_order_id text NOT NULL,
    action          text NOT NULL,              -- new, refused, drain
    account         text NOT NULL,
    event_time      timestamptz NOT NULL,
    event_ns        bigint NOT NULL,
    venue           text NOT NULL,
    instrument      text NOT NULL,
    side            text NOT NULL,
    quantity        bigint NOT NULL,            -- lots
    order_type      text NOT NULL,
    limit_price     double precision NOT NULL,
    pair            text NOT NULL,
    leg             integer NOT NULL,
    cause           text NOT NULL,              -- event_id of what caused it
    reason          text NOT NULL,
    PRIMARY KEY (session_id, client_order_id, action)
);

CREATE TABLE reports (                          -- every word of a venue about an order
    session_id          text NOT NULL,
    event_id            text NOT NULL,
    account             text NOT NULL,
    event_time          timestamptz NOT NULL,
    event_ns            bigint NOT NULL,
    venue               text NOT NULL,
    exec_id             text NOT NULL,
    client_order_id     text NOT NULL,
    status              text NOT NULL,
    instrument          text NOT NULL,
    side                text NOT NULL,
    last_quantity       bigint NOT NULL,
    last_price          double precision NOT NULL,
    cumulative_quantity bigint NOT NULL,
    leaves_quantity     bigint NOT NULL,
    text                text NOT NULL,
    PRIMARY KEY (session_id, event_id)
);
CREATE INDEX reports_by_order ON reports (session_id, client_order_id);

CREATE TABLE fills (                            -- the reports that moved a position
    session_id          text NOT NULL,
    venue               text NOT NULL,
    exec_id             text NOT NULL,
    account             text NOT NULL,
    event_time          timestamptz NOT NULL,
    event_ns            bigint NOT NULL,
    client_order_id     text NOT NULL,
    instrument          text NOT NULL,
    side                text NOT NULL,
    quantity            bigint NOT NULL,        -- lots
    price               double precision NOT NULL,
    cumulative_quantity bigint NOT NULL,
    leaves_quantity     bigint NOT NULL,
    PRIMARY KEY (session_id, venue, exec_id)
);
CREATE INDEX fills_by_order ON fills (session_id, client_order_id);

CREATE TABLE commands (                         -- who killed, resumed or drained an account, and why
    session_id text NOT NULL,
    event_id   text NOT NULL,
    account    text NOT NULL,
    event_time timestamptz NOT NULL,
    event_ns   bigint NOT NULL,
    command    text NOT NULL,
    scope      text NOT NULL,
    operator   text NOT NULL,
    reason     text NOT NULL,
    PRIMARY KEY (session_id, event_id)
);

CREATE TABLE rejects (                          -- frames set aside, and records that the loader could not read
    session_id    text NOT NULL,
    venue         text NOT NULL,                -- empty where the loader could not read the record
    feed_session  text NOT NULL,                -- of an unreadable record: topic/partition
    frame         bigint NOT NULL,              -- of an unreadable record: its offset
    reason        text NOT NULL,
    frames        integer NOT NULL,             -- 0: only a gap is reported, the frame was used
    detail        text NOT NULL,
    event_time    timestamptz NOT NULL,
    raw_topic     text NOT NULL,
    raw_partition integer NOT NULL,
    raw_offset    bigint NOT NULL,
    payload       bytea NOT NULL,               -- the first 512 bytes
    PRIMARY KEY (session_id, venue, feed_session, frame, reason)
);

CREATE VIEW order_status AS                     -- orders sent, with what the venue last said
SELECT o.*, coalesce(r.status, 'sent') AS status, coalesce(r.filled, 0) AS filled_quantity, r.average_price,
       r.last_word, r.last_report_time
FROM orders o
LEFT JOIN LATERAL (
    SELECT (array_agg(status ORDER BY cumulative_quantity DESC, (status IN ('filled', 'canceled', 'rejected')) DESC, event_ns DESC))[1] AS status,
           sum(last_quantity)::bigint AS filled,
           sum(last_quantity * last_price) / nullif(sum(last_quantity), 0) AS average_price,
           (array_agg(text ORDER BY event_ns DESC))[1] AS last_word,
           max(event_time) AS last_report_time
    FROM reports
    WHERE reports.session_id = o.session_id AND reports.client_order_id = o.client_order_id
    HAVING count(*) > 0
) r ON true
WHERE o.action = 'new';
