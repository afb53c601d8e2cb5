-- about: the last that was told of an account's risk in each interval in which something was
SELECT * FROM (
    SELECT DISTINCT ON (1, account) time_bucket(%(bucket)s::interval, event_time) AS time, account, var, es, method, confidence, scenarios, gross, net, leverage, beta, liquidity_s, days, exceptions, zone,
           pairs, pair_es, pair_incremental, stress, stress_loss, instruments, es_per_lot, deviation_per_lot, volume_per_day,
           position_sequence, event_id, event_ns
    FROM risk_updates
    WHERE session_id = %(session)s
      AND (%(account)s::text IS NULL OR account = %(account)s)
      AND event_time >= coalesce(%(from)s::timestamptz, '-infinity')
      AND event_time < coalesce(%(to)s::timestamptz, 'infinity')
    ORDER BY 1 DESC, account, event_ns DESC, event_id DESC
    LIMIT %(limit)s
) newest
ORDER BY time, account
