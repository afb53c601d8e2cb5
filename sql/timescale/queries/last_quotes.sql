-- about: the last quote of each of some instruments before a time
SELECT wanted.instrument, quote.event_time AS time, quote.bid, quote.ask
FROM unnest(%(instruments)s::text[]) AS wanted (instrument)
CROSS JOIN LATERAL (
    SELECT event_time, bid, ask
    FROM ticks
    WHERE session_id = %(session)s AND instrument = wanted.instrument AND kind = 'quote'
      AND event_time < coalesce(%(to)s::timestamptz, 'infinity')
    ORDER BY event_time DESC, sequence DESC
    LIMIT 1
) quote
ORDER BY 1
