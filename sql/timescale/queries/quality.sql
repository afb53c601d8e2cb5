-- about: by venue and instrument: ticks by kind, how many carry which flag, how event and receive times lie to each other
SELECT venue, instrument, count(*) AS ticks,
       count(*) FILTER (WHERE kind = 'quote') AS quotes, count(*) FILTER (WHERE kind = 'trade') AS trades,
       count(*) FILTER (WHERE flags & 2 <> 0) AS late, count(*) FILTER (WHERE flags & 4 <> 0) AS after_gap,
       count(*) FILTER (WHERE flags & 8 <> 0) AS locked, count(*) FILTER (WHERE flags & 128 <> 0) AS crossed,
       count(*) FILTER (WHERE flags & 256 <> 0) AS off_tick, count(*) FILTER (WHERE flags & 512 <> 0) AS outlier,
       count(*) FILTER (WHERE flags & 1024 <> 0) AS stale, count(*) FILTER (WHERE flags & 2048 <> 0) AS halted,
       count(*) FILTER (WHERE flags & 4096 <> 0) AS out_of_order, count(*) FILTER (WHERE flags & 8192 <> 0) AS duplicate,
       max(event_ns - receive_ns) / 1e6 AS most_ahead_ms, avg(receive_ns - event_ns) / 1e6 AS mean_delay_ms,
       min(event_time) AS first, max(event_time) AS last
FROM ticks
WHERE session_id = %(session)s AND (%(venue)s::text IS NULL OR venue = %(venue)s)
  AND event_time >= coalesce(%(from)s::timestamptz, '-infinity')
  AND event_time < coalesce(%(to)s::timestamptz, 'infinity')
GROUP BY venue, instrument
ORDER BY venue, instrument
