-- about: the volume-weighted average price as vwap has it, from the ticks: where lengths or ends are not whole seconds
SELECT * FROM (
    SELECT coalesce(time_bucket(%(bucket)s::interval, event_time), min(event_time)) AS time, venue,
           sum(bid * bid_size) / sum(bid_size) AS vwap, sum(bid_size) AS volume, sum(bid * bid_size) AS notional,
           count(*) AS trades
    FROM ticks
    WHERE session_id = %(session)s AND instrument = %(instrument)s
      AND (%(venue)s::text IS NULL OR venue = %(venue)s)
      AND kind = 'trade' AND flags & %(spoiled)s::int = 0 AND code & %(suspicious)s::int = 0
      AND event_time >= coalesce(%(from)s::timestamptz, '-infinity')
      AND event_time < coalesce(%(to)s::timestamptz, 'infinity')
    GROUP BY time_bucket(%(bucket)s::interval, event_time), venue
    HAVING sum(bid_size) > 0
    ORDER BY 1 DESC, 2
    LIMIT %(limit)s
) newest
ORDER BY time, venue
