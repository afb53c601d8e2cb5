-- about: the volume-weighted average price of an instrument by interval, or of the whole time: {rollups}
-- note: whole seconds are of the roll-up; what lies before the first and after the last of them, of the ticks
SELECT * FROM (
    SELECT coalesce(time_bucket(%(bucket)s::interval, at), min(at)) AS time, venue, sum(notional) / sum(volume) AS vwap,
           sum(volume) AS volume, sum(notional) AS notional, sum(trades)::bigint AS trades
    FROM (
        SELECT start_time AS at, venue, notional, volume, trades
        FROM {rollups}
        WHERE session_id = %(session)s AND instrument = %(instrument)s
          AND (%(venue)s::text IS NULL OR venue = %(venue)s)
          AND start_time >= coalesce(%(whole_from)s::timestamptz, '-infinity')
          AND start_time < coalesce(%(whole_to)s::timestamptz, 'infinity')
        UNION ALL
        SELECT event_time, venue, bid * bid_size, bid_size, 1
        FROM ticks
        WHERE session_id = %(session)s AND instrument = %(instrument)s
          AND (%(venue)s::text IS NULL OR venue = %(venue)s)
          AND kind = 'trade' AND flags & %(spoiled)s::int = 0 AND code & %(suspicious)s::int = 0
          AND event_time >= %(from)s::timestamptz AND event_time < %(whole_from)s::timestamptz
        UNION ALL
        SELECT event_time, venue, bid * bid_size, bid_size, 1
        FROM ticks
        WHERE session_id = %(session)s AND instrument = %(instrument)s
          AND (%(venue)s::text IS NULL OR venue = %(venue)s)
          AND kind = 'trade' AND flags & %(spoiled)s::int = 0 AND code & %(suspicious)s::int = 0
          AND event_time >= %(whole_to)s::timestamptz AND event_time < %(to)s::timestamptz
    ) parts
    GROUP BY time_bucket(%(bucket)s::interval, at), venue
    HAVING sum(volume) > 0
    ORDER BY 1 DESC, 2
    LIMIT %(limit)s
) newest
ORDER BY time, venue
