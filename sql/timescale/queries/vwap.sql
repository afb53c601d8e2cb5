-- about: the volume-weighted average price of an instrument by interval, or of the whole time: {rollups}
SELECT * FROM (
    SELECT coalesce(time_bucket(%(bucket)s::interval, start_time), min(start_time)) AS time, venue,
           sum(notional) / sum(volume) AS vwap, sum(volume) AS volume, sum(notional) AS notional,
           sum(trades)::bigint AS trades
    FROM {rollups}
    WHERE session_id = %(session)s AND instrument = %(instrument)s
      AND (%(venue)s::text IS NULL OR venue = %(venue)s)
      AND start_time >= coalesce(%(from)s::timestamptz, '-infinity')
      AND start_time < coalesce(%(to)s::timestamptz, 'infinity')
    GROUP BY time_bucket(%(bucket)s::interval, start_time), venue
    HAVING sum(volume) > 0
    ORDER BY 1 DESC, 2
    LIMIT %(limit)s
) newest
ORDER BY time, venue
