-- about: the bars of a second as a continuous aggregate of the server, in place of the table that the loader fills
-- note: {trade}, {pricing} and {quote} are the rows that count, as pipelines/domain/eligible.py has them; {at} is their order
CREATE MATERIALIZED VIEW ohlcv_1s WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT session_id, venue, instrument, time_bucket(INTERVAL '1 second', event_time) AS start_time,
    coalesce(first(bid, {at}) FILTER (WHERE {pricing}), first({mid}, {at}) FILTER (WHERE {two_sided})) AS open,
    coalesce(max(bid) FILTER (WHERE {pricing}), max({mid}) FILTER (WHERE {two_sided})) AS high,
    coalesce(min(bid) FILTER (WHERE {pricing}), min({mid}) FILTER (WHERE {two_sided})) AS low,
    coalesce(last(bid, {at}) FILTER (WHERE {pricing}), last({mid}, {at}) FILTER (WHERE {two_sided})) AS close,
    bool_or({pricing}) AS of_trades,
    coalesce(sum(bid_size) FILTER (WHERE {trade}), 0) AS volume,
    coalesce(sum(bid * bid_size) FILTER (WHERE {trade}), 0) AS notional,
    count(*) FILTER (WHERE {trade}) AS trades,
    count(*) FILTER (WHERE {quote}) AS quotes,
    count(*) FILTER (WHERE NOT ({trade} OR {quote})) AS left_out,
    last(bid, {at}) FILTER (WHERE {quote}) AS bid,
    last(ask, {at}) FILTER (WHERE {quote}) AS ask,
    last(bid_size, {at}) FILTER (WHERE {quote}) AS bid_size,
    last(ask_size, {at}) FILTER (WHERE {quote}) AS ask_size,
    last(event_ns, {at}) FILTER (WHERE {quote}) AS quote_ns,
    last(sequence, {at}) FILTER (WHERE {quote}) AS quote_sequence,
    min(event_ns) AS first_ns,
    max(event_ns) AS last_ns
FROM ticks
WHERE kind IN ('quote', 'trade')
GROUP BY 1, 2, 3, 4
WITH NO DATA
