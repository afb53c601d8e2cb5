-- about: bars of a minute or a day as a continuous aggregate, {longer} of {shorter}
CREATE MATERIALIZED VIEW {longer} WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT session_id, venue, instrument, time_bucket({length}::interval, start_time) AS start_time,
    coalesce(first(open, start_time) FILTER (WHERE of_trades), first(open, start_time) FILTER (WHERE open IS NOT NULL)) AS open,
    coalesce(max(high) FILTER (WHERE of_trades), max(high)) AS high,
    coalesce(min(low) FILTER (WHERE of_trades), min(low)) AS low,
    coalesce(last(close, start_time) FILTER (WHERE of_trades), last(close, start_time) FILTER (WHERE close IS NOT NULL)) AS close,
    bool_or(of_trades) AS of_trades,
    sum(volume) AS volume,
    sum(notional) AS notional,
    sum(trades)::bigint AS trades,
    sum(quotes)::bigint AS quotes,
    sum(left_out)::bigint AS left_out,
    last(bid, start_time) FILTER (WHERE quotes > 0) AS bid,
    last(ask, start_time) FILTER (WHERE quotes > 0) AS ask,
    last(bid_size, start_time) FILTER (WHERE quotes > 0) AS bid_size,
    last(ask_size, start_time) FILTER (WHERE quotes > 0) AS ask_size,
    last(quote_ns, start_time) FILTER (WHERE quotes > 0) AS quote_ns,
    last(quote_sequence, start_time) FILTER (WHERE quotes > 0) AS quote_sequence,
    min(first_ns) AS first_ns,
    max(last_ns) AS last_ns
FROM {shorter}
GROUP BY session_id, venue, instrument, time_bucket({length}::interval, start_time)
WITH NO DATA
