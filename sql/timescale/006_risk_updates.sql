-- The risk of an account as it was told: once a second of its time, and at each change of a position. Losses are positive,
-- money is the account's. Arrays go together: by instrument, by pair that was not flat, by stress scenario.
CREATE TABLE risk_updates (
    session_id        text NOT NULL,
    event_id          text NOT NULL,
    account           text NOT NULL,
    event_time        timestamptz NOT NULL,
    event_ns          bigint NOT NULL,
    as_of_ns          bigint NOT NULL,
    var               double precision NOT NULL,
    es                double precision NOT NULL,
    instruments       text[] NOT NULL,
    es_per_lot        double precision[] NOT NULL,
    method            text NOT NULL,
    confidence        double precision NOT NULL,
    scenarios         integer NOT NULL,         -- rows of returns, or draws, that it is made of
    deviation_per_lot double precision[] NOT NULL,
    volume_per_day    double precision[] NOT NULL,          -- lots; 0 where none is known
    pairs             text[] NOT NULL,
    pair_es           double precision[] NOT NULL,          -- they add up to es
    pair_incremental  double precision[] NOT NULL,          -- what es is more than without the pair
    gross             double precision NOT NULL,
    net               double precision NOT NULL,
    leverage          double precision NOT NULL,            -- 0 where no capital is given
    beta              double precision NOT NULL,            -- 0 where there is no benchmark
    liquidity_s       double precision NOT NULL,            -- 0 where volumes are not known
    stress            text[] NOT NULL,
    stress_loss       double precision[] NOT NULL,
    days              integer NOT NULL,         -- that were held against the var told before them
    exceptions        integer NOT NULL,
    zone              text NOT NULL,            -- green, yellow, red; empty before the first day
    position_sequence bigint NOT NULL,          -- of the last position that it knows
    PRIMARY KEY (session_id, event_time, event_id)
);
SELECT create_hypertable('risk_updates', 'event_time', chunk_time_interval => INTERVAL '1 day', create_default_indexes => FALSE);
