-- about: the spread of a pair as it stood at the end of each interval in which something was said of it
SELECT * FROM (
    SELECT DISTINCT ON (1) time_bucket(%(bucket)s::interval, event_time) AS time, z, spread, mean, std, beta, mid_a, mid_b,
           event_time AS said_at
    FROM spreads
    WHERE session_id = %(session)s AND pair = %(pair)s
      AND event_time >= coalesce(%(from)s::timestamptz, '-infinity')
      AND event_time < coalesce(%(to)s::timestamptz, 'infinity')
    ORDER BY 1 DESC, event_time DESC, sequence DESC
    LIMIT %(limit)s
) newest
ORDER BY time
