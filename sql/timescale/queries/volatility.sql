-- about: realised volatility of an instrument by interval, a year's, from the closes of bars
-- note: sqrt(Y * sum(r^2) / sum(dt)), r = ln(close / close before), dt = seconds between the two bars, Y = seconds of a
-- note: year of trading; a return over more than max_gap (a night, a halt) counts in neither sum. Realised variance:
-- note: Andersen, Bollerslev, Diebold, Labys, Modeling and Forecasting Realized Volatility, Econometrica 71 (2003)
SELECT * FROM (
    SELECT time_bucket(%(by)s::interval, time) AS time, venue, count(*) AS returns, sum(dt) AS seconds,
           sqrt(sum(r * r)) AS realised, sqrt(%(year_s)s::float8 * sum(r * r) / sum(dt)) AS annualised
    FROM (
        SELECT time, venue, ln(close / lag(close) OVER before) AS r,
               extract(epoch FROM time - lag(time) OVER before)::float8 AS dt
        FROM (
            SELECT time_bucket(%(bucket)s::interval, start_time) AS time, venue,
                   coalesce(last(close, start_time) FILTER (WHERE of_trades), last(close, start_time)) AS close
            FROM {rollups}
            WHERE session_id = %(session)s AND instrument = %(instrument)s AND close > 0
              AND (%(venue)s::text IS NULL OR venue = %(venue)s)
              AND start_time >= coalesce(%(from)s::timestamptz, '-infinity')
              AND start_time < coalesce(%(to)s::timestamptz, 'infinity')
            GROUP BY 1, 2
        ) bars
        WINDOW before AS (PARTITION BY venue ORDER BY time)
    ) moves
    WHERE dt <= extract(epoch FROM %(max_gap)s::interval)
    GROUP BY 1, 2
    ORDER BY 1 DESC, 2
    LIMIT %(limit)s
) newest
ORDER BY time, venue
