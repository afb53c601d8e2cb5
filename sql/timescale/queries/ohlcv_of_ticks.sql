-- about: bars as ohlcv has them, from the ticks: where lengths or ends are not whole seconds
SELECT * FROM (
    SELECT time_bucket(%(bucket)s::interval, event_time) AS time, venue,
           coalesce(first(bid, at) FILTER (WHERE last), first(mid, at) FILTER (WHERE mid IS NOT NULL)) AS open,
           coalesce(max(bid) FILTER (WHERE last), max(mid)) AS high,
           coalesce(min(bid) FILTER (WHERE last), min(mid)) AS low,
           coalesce(last(bid, at) FILTER (WHERE last), last(mid, at) FILTER (WHERE mid IS NOT NULL)) AS close,
           bool_or(last) AS of_trades, coalesce(sum(bid_size) FILTER (WHERE trade), 0) AS volume,
           sum(bid * bid_size) FILTER (WHERE trade) / nullif(sum(bid_size) FILTER (WHERE trade), 0) AS vwap,
           count(*) FILTER (WHERE trade) AS trades, count(*) FILTER (WHERE NOT trade) AS quotes,
           last(bid, at) FILTER (WHERE NOT trade) AS bid, last(ask, at) FILTER (WHERE NOT trade) AS ask
    FROM (
        SELECT event_time, venue, bid, ask, bid_size, event_ns::numeric * 1000000000000 + sequence AS at,
               kind = 'trade' AS trade, kind = 'trade' AND code & %(volume_only)s::int = 0 AS last,
               CASE WHEN kind = 'quote' AND bid <> 0 AND ask <> 0 THEN 0.5 * (bid + ask) END AS mid
        FROM ticks
        WHERE session_id = %(session)s AND instrument = %(instrument)s
          AND (%(venue)s::text IS NULL OR venue = %(venue)s)
          AND kind IN ('quote', 'trade') AND flags & %(spoiled)s::int = 0 AND NOT (kind = 'trade' AND code & %(suspicious)s::int <> 0)
          AND event_time >= coalesce(%(from)s::timestamptz, '-infinity')
          AND event_time < coalesce(%(to)s::timestamptz, 'infinity')
    ) good
    GROUP BY 1, 2
    ORDER BY 1 DESC, 2
    LIMIT %(limit)s
) newest
ORDER BY time, venue
