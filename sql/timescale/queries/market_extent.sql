-- about: how many quotes and trades of an instrument there are, and from when to when: says why an answer is empty
SELECT coalesce(sum(trades + quotes + left_out), 0)::bigint AS rows,
       '1970-01-01Z'::timestamptz + min(first_ns) / 1000 * INTERVAL '1 microsecond' AS first,
       '1970-01-01Z'::timestamptz + max(last_ns) / 1000 * INTERVAL '1 microsecond' AS last
FROM ohlcv_1d
WHERE session_id = %(session)s AND instrument = %(instrument)s AND (%(venue)s::text IS NULL OR venue = %(venue)s)
