-- about: the spread of a pair over time: its crossings of the ladder, and a sample each second
SELECT * FROM (
    SELECT event_time AS time, kind, z, spread, mean, std, beta, mid_a, mid_b, sequence
    FROM spreads
    WHERE session_id = %(session)s AND pair = %(pair)s
      AND event_time >= coalesce(%(from)s::timestamptz, '-infinity')
      AND event_time < coalesce(%(to)s::timestamptz, 'infinity')
    ORDER BY event_time DESC, sequence DESC
    LIMIT %(limit)s
) newest
ORDER BY time, sequence
