-- about: open, high, low, close and volume of an instrument by minutes or longer, from its minute bars
-- note: a minute is there once it is over; without trades it is of mid prices
SELECT * FROM (
    SELECT time_bucket(%(bucket)s::interval, start_time) AS time, venue,
           first(open, start_time) AS open, max(high) AS high, min(low) AS low, last(close, start_time) AS close,
           sum(volume) AS volume, sum(trades)::bigint AS trades, sum(quotes)::bigint AS quotes
    FROM bars_1m
    WHERE session_id = %(session)s AND instrument = %(instrument)s
      AND start_time >= coalesce(%(from)s::timestamptz, '-infinity')
      AND start_time < coalesce(%(to)s::timestamptz, 'infinity')
    GROUP BY 1, 2
    ORDER BY 1 DESC, 2
    LIMIT %(limit)s
) newest
ORDER BY time, venue
