-- about: by venue and instrument: the longest time between two ticks, and where it began
SELECT DISTINCT ON (venue, instrument) venue, instrument, (first_ns - before_ns) / 1e9 AS silence_s,
       to_timestamp(before_ns / 1e9) AS silent_from
FROM (
    SELECT venue, instrument, first_ns,
           lag(last_ns) OVER (PARTITION BY venue, instrument ORDER BY start_time) AS before_ns
    FROM ohlcv_1s
    WHERE session_id = %(session)s AND (%(venue)s::text IS NULL OR venue = %(venue)s)
      AND start_time >= coalesce(%(from)s::timestamptz, '-infinity')
      AND start_time < coalesce(%(to)s::timestamptz, 'infinity')
) seconds
WHERE before_ns IS NOT NULL
ORDER BY venue, instrument, silence_s DESC
