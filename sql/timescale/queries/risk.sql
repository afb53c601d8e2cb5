-- about: the risk of an account as it was told: once a second of its time, and at each change of a position
SELECT * FROM (
    SELECT event_time AS time, account, var, es, method, confidence, scenarios, gross, net, leverage, beta, liquidity_s, days, exceptions, zone,
           pairs, pair_es, pair_incremental, stress, stress_loss, instruments, es_per_lot, deviation_per_lot, volume_per_day,
           position_sequence, event_id, event_ns
    FROM risk_updates
    WHERE session_id = %(session)s
      AND (%(account)s::text IS NULL OR account = %(account)s)
      AND event_time >= coalesce(%(from)s::timestamptz, '-infinity')
      AND event_time < coalesce(%(to)s::timestamptz, 'infinity')
    ORDER BY event_time DESC, event_ns DESC, event_id DESC
    LIMIT %(limit)s
) newest
ORDER BY event_ns, account, event_id
