-- about: the last quote of each of some instruments at or before a time of its own; its age in seconds
-- note: of the second of that time it is looked for among the ticks; before, the roll-up of seconds knows the last one
SELECT wanted.at AS asof, wanted.instrument, quote.venue, quote.event_time AS time, quote.bid, quote.ask,
       quote.bid_size, quote.ask_size, extract(epoch FROM wanted.at - quote.event_time)::float8 AS age_s
FROM unnest(%(instruments)s::text[], %(times)s::timestamptz[]) WITH ORDINALITY AS wanted (instrument, at, number)
LEFT JOIN LATERAL (
    SELECT * FROM (
        (SELECT venue, event_time, sequence, bid, ask, bid_size, ask_size
         FROM ticks
         WHERE session_id = %(session)s AND instrument = wanted.instrument AND kind = 'quote' AND flags & %(spoiled)s::int = 0
           AND (%(venue)s::text IS NULL OR venue = %(venue)s)
           AND event_time >= date_trunc('second', wanted.at) AND event_time <= wanted.at
         ORDER BY event_time DESC, sequence DESC
         LIMIT 1)
        UNION ALL
        (SELECT venue, '1970-01-01Z'::timestamptz + quote_ns / 1000 * INTERVAL '1 microsecond', quote_sequence, bid, ask,
                bid_size, ask_size
         FROM ohlcv_1s
         WHERE session_id = %(session)s AND instrument = wanted.instrument AND quotes > 0
           AND (%(venue)s::text IS NULL OR venue = %(venue)s)
           AND start_time < date_trunc('second', wanted.at)
         ORDER BY start_time DESC, quote_ns DESC
         LIMIT 1)
    ) found
    ORDER BY event_time DESC, sequence DESC
    LIMIT 1
) quote ON true
ORDER BY wanted.number
