-- about: of each of some instruments the stretches longer than a length in which it had no quote
SELECT instrument, since AS start_time, until AS end_time
FROM (
    SELECT instrument, '1970-01-01Z'::timestamptz + quote_ns / 1000 * INTERVAL '1 microsecond' AS until,
           '1970-01-01Z'::timestamptz + lag(quote_ns) OVER (PARTITION BY instrument ORDER BY start_time, quote_ns)
               / 1000 * INTERVAL '1 microsecond' AS since
    FROM ohlcv_1s
    WHERE session_id = %(session)s AND instrument = ANY(%(instruments)s) AND quotes > 0
) quoted
WHERE until - since > %(longer_than)s::interval
  AND until >= coalesce(%(from)s::timestamptz, '-infinity') AND since < coalesce(%(to)s::timestamptz, 'infinity')
ORDER BY since, instrument
