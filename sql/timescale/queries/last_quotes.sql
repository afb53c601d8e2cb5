-- about: the last quote of each of some instruments before a time; without one, the newest
SELECT wanted.instrument, quote.time, quote.bid, quote.ask
FROM unnest(%(instruments)s::text[]) AS wanted (instrument)
CROSS JOIN LATERAL (
    SELECT * FROM (
        (SELECT event_time AS time, sequence, bid, ask
         FROM ticks
         WHERE session_id = %(session)s AND instrument = wanted.instrument AND kind = 'quote' AND flags & %(spoiled)s::int = 0
           AND event_time >= date_trunc('second', %(to)s::timestamptz) AND event_time < %(to)s::timestamptz
         ORDER BY event_time DESC, sequence DESC
         LIMIT 1)
        UNION ALL
        (SELECT '1970-01-01Z'::timestamptz + quote_ns / 1000 * INTERVAL '1 microsecond', quote_sequence, bid, ask
         FROM ohlcv_1s
         WHERE session_id = %(session)s AND instrument = wanted.instrument AND quotes > 0
           AND start_time < coalesce(date_trunc('second', %(to)s::timestamptz), 'infinity')
         ORDER BY start_time DESC, quote_ns DESC
         LIMIT 1)
    ) found
    ORDER BY time DESC, sequence DESC
    LIMIT 1
) quote
ORDER BY 1
