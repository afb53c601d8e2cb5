-- about: a day of each instrument at the session's pace: deviation of its return, as a share, and volume, in its units
-- note: of bars of a minute, five returns at least; what lies between them is in the return that follows
SELECT instrument, sqrt(sum(r * r) / max(minutes) * %(day_minutes)s::float8) AS deviation,
       sum(volume) / max(minutes) * %(day_minutes)s::float8 AS volume
FROM (
    SELECT instrument, volume, ln(close / lag(close) OVER of_it) AS r,
           extract(epoch FROM max(start_time) OVER (PARTITION BY instrument, venue)
                              - min(start_time) OVER (PARTITION BY instrument, venue))::float8 / 60 + 1 AS minutes
    FROM bars_1m
    WHERE session_id = %(session)s AND close > 0
    WINDOW of_it AS (PARTITION BY instrument, venue ORDER BY start_time)
) moves
GROUP BY instrument
HAVING count(r) >= 5
