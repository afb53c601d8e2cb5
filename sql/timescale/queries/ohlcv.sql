-- about: bars of an instrument of any length, from the roll-up whose bars fit into it: {rollups}
-- note: prices are of trades; of a bar without trades, of mids (of_trades false). Bars with nothing in them are not there
SELECT * FROM (
    SELECT time_bucket(%(bucket)s::interval, start_time) AS time, venue,
           coalesce(first(open, start_time) FILTER (WHERE of_trades),
                    first(open, start_time) FILTER (WHERE open IS NOT NULL)) AS open,
           coalesce(max(high) FILTER (WHERE of_trades), max(high)) AS high,
           coalesce(min(low) FILTER (WHERE of_trades), min(low)) AS low,
           coalesce(last(close, start_time) FILTER (WHERE of_trades),
                    last(close, start_time) FILTER (WHERE close IS NOT NULL)) AS close,
           bool_or(of_trades) AS of_trades, sum(volume) AS volume,
           sum(notional) / nullif(sum(volume), 0) AS vwap,
           sum(trades)::bigint AS trades, sum(quotes)::bigint AS quotes,
           last(bid, start_time) FILTER (WHERE quotes > 0) AS bid, last(ask, start_time) FILTER (WHERE quotes > 0) AS ask
    FROM {rollups}
    WHERE session_id = %(session)s AND instrument = %(instrument)s
      AND (%(venue)s::text IS NULL OR venue = %(venue)s)
      AND start_time >= coalesce(%(from)s::timestamptz, '-infinity')
      AND start_time < coalesce(%(to)s::timestamptz, 'infinity')
    GROUP BY 1, 2
    HAVING sum(trades) + sum(quotes) > 0
    ORDER BY 1 DESC, 2
    LIMIT %(limit)s
) newest
ORDER BY time, venue
