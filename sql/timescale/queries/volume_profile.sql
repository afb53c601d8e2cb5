-- about: when in the day an instrument trades: volume by time of day in a time zone, a day's mean and its share
SELECT slot AS time_of_day, sum(volume) AS volume, sum(trades)::bigint AS trades, count(DISTINCT day)::bigint AS days,
       sum(volume) / max(all_days) AS volume_a_day, sum(volume) / nullif(max(whole), 0) AS share
FROM (
    SELECT *, sum(volume) OVER () AS whole, dense_rank() OVER (ORDER BY day) + dense_rank() OVER (ORDER BY day DESC) - 1 AS all_days
    FROM (
        SELECT local::date AS day, volume, trades,
               (date_bin(%(bucket)s::interval, local, local::date::timestamp))::time AS slot
        FROM (
            SELECT start_time AT TIME ZONE %(zone)s::text AS local, volume, trades
            FROM ohlcv_1m
            WHERE session_id = %(session)s AND instrument = %(instrument)s
              AND (%(venue)s::text IS NULL OR venue = %(venue)s)
              AND start_time >= coalesce(%(from)s::timestamptz, '-infinity')
              AND start_time < coalesce(%(to)s::timestamptz, 'infinity')
        ) minutes
    ) slots
) days
GROUP BY slot
ORDER BY slot
