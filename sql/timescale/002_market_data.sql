-- Market data: what a tick says besides prices, levels of order books, roll-ups of ticks, reference data, and for how
-- long what is kept.

ALTER TABLE ticks ADD COLUMN code integer NOT NULL DEFAULT 0;   -- of a trade or auction its conditions, of a status which

CREATE TABLE books (                            -- one price of an order book: its new quantity, 0 where it is gone
    session_id   text NOT NULL,
    venue        text NOT NULL,
    feed_session text NOT NULL,
    sequence     bigint NOT NULL,
    event_time   timestamptz NOT NULL,
    instrument   text NOT NULL,
    side         text NOT NULL,                 -- bid, ask
    flags        integer NOT NULL,              -- as of ticks; 64: part of a snapshot, which is all rows of its frame
    event_ns     bigint NOT NULL,
    receive_ns   bigint NOT NULL,
    frame        bigint NOT NULL,
    price        double precision NOT NULL,
    quantity     double precision NOT NULL,
    code         integer NOT NULL,
    PRIMARY KEY (session_id, event_time, sequence, feed_session, venue)
);
SELECT create_hypertable('books', 'event_time', chunk_time_interval => INTERVAL '1 day', create_default_indexes => FALSE);

-- Roll-ups of ticks: a second, a minute, a day. bars_1m above is something else: what the spreads job said at the time,
-- closed by the shard's clock, without what came late; it is kept, to see what a strategy saw. These are what the ticks
-- say now: the loader merges each batch in, in the transaction of its ticks, and only what was new of it; opening and
-- closing prices go by event time and sequence, so that what is late finds its place. Queries ask these.
--
-- Prices are of trades that set the last price; of a bar without one (of_trades false) of mids. Rows flagged crossed,
-- outlier or duplicate, and trades marked suspicious, are counted in left_out and nowhere else.
CREATE TABLE ohlcv_1s (
    session_id     text NOT NULL,
    venue          text NOT NULL,
    instrument     text NOT NULL,
    start_time     timestamptz NOT NULL,
    open           double precision,            -- null where nothing had a price
    high           double precision,
    low            double precision,
    close          double precision,
    of_trades      boolean NOT NULL,            -- whether they are prices of trades, or of mids
    open_ns        bigint NOT NULL,             -- where open and close are from; without a price, the ends of bigint
    open_sequence  bigint NOT NULL,
    close_ns       bigint NOT NULL,
    close_sequence bigint NOT NULL,
    volume         double precision NOT NULL,
    notional       double precision NOT NULL,   -- sum of price x quantity: by volume, it is the vwap
    trades         bigint NOT NULL,
    quotes         bigint NOT NULL,
    left_out       bigint NOT NULL,
    bid            double precision,            -- of the last quote; null without one
    ask            double precision,
    bid_size       double precision,
    ask_size       double precision,
    quote_ns       bigint NOT NULL,             -- its event time, to find it among the ticks by
    quote_sequence bigint NOT NULL,
    first_ns       bigint NOT NULL,             -- of the quotes and trades in it, those left out too
    last_ns        bigint NOT NULL,
    PRIMARY KEY (session_id, instrument, start_time, venue)
) WITH (fillfactor = 80);
CREATE TABLE ohlcv_1m (LIKE ohlcv_1s INCLUDING ALL) WITH (fillfactor = 60);
CREATE TABLE ohlcv_1d (LIKE ohlcv_1s INCLUDING ALL) WITH (fillfactor = 50);
SELECT create_hypertable('ohlcv_1s', 'start_time', chunk_time_interval => INTERVAL '1 day', create_default_indexes => FALSE);
SELECT create_hypertable('ohlcv_1m', 'start_time', chunk_time_interval => INTERVAL '30 days', create_default_indexes => FALSE);
SELECT create_hypertable('ohlcv_1d', 'start_time', chunk_time_interval => INTERVAL '3650 days', create_default_indexes => FALSE);

CREATE TABLE retention (                        -- of a hypertable; what is not named is kept for ever, as it is
    table_name     text PRIMARY KEY,
    keep           interval,                    -- chunks whose rows are all older go; null: none
    compress_after interval,                    -- where the server can
    updated_at     timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE backfill_files (                   -- how far a file of a source has been loaded, written with its rows
    session_id text NOT NULL,
    source     text NOT NULL,
    file       text NOT NULL,
    digest     text NOT NULL,                   -- of its content: another content is another file
    rows_taken bigint NOT NULL,                 -- of the file's rows in their order
    rows_new   bigint NOT NULL,
    complete   boolean NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (session_id, source, file)
);

-- Reference data: what an instrument was at a time, whatever session it is asked for.
CREATE TABLE venues (
    venue     text PRIMARY KEY,
    name      text NOT NULL,
    mic       text NOT NULL,                    -- ISO 10383; empty where it has none
    time_zone text NOT NULL,                    -- IANA
    calendar  text NOT NULL
);

CREATE TABLE calendars (                        -- sessions of a calendar, one row each
    calendar     text NOT NULL,
    session_date date NOT NULL,
    opens_at     timestamptz NOT NULL,
    closes_at    timestamptz NOT NULL,
    PRIMARY KEY (calendar, session_date)
);

CREATE TABLE instrument_versions (
    instrument text NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_to   timestamptz NOT NULL DEFAULT 'infinity',     -- before this time
    venue      text NOT NULL,
    symbol     text NOT NULL,
    kind       text NOT NULL,                   -- equity, future, fx, crypto, ...
    tick_size  double precision NOT NULL,
    lot_size   double precision NOT NULL,
    multiplier double precision NOT NULL,
    currency   text NOT NULL,
    calendar   text NOT NULL,
    expires_at timestamptz,
    PRIMARY KEY (instrument, valid_from),
    CHECK (valid_from < valid_to)
);

CREATE TABLE corporate_actions (
    instrument text NOT NULL,
    ex_date    date NOT NULL,
    kind       text NOT NULL,                   -- split, dividend
    ratio      double precision,                -- of a split: new shares for one old
    amount     double precision,                -- of a dividend: for a share, in its currency
    currency   text NOT NULL,
    PRIMARY KEY (instrument, ex_date, kind)
);
