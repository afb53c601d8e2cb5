-- about: orders that were sent, with the price that they were decided at, when they came to their venue and had its last word
-- note: decision is of the signal; empty where no signal made the order. deviation is money of a lot, as risk was told last. schedule: by what it was worked
SELECT o.client_order_id, o.pair, o.strategy, o.venue, o.instrument, o.side, o.quantity, o.event_ns,
       CASE WHEN o.leg = 0 THEN s.mid_a ELSE s.mid_b END AS decision, coalesce(i.lot_size, 1) AS lot_size,
       said.arrived_ns, said.last_ns, said.over, coalesce(worked.schedule, 'direct') AS schedule,
       risk.deviation_per_lot[array_position(risk.instruments, o.instrument)] AS deviation,
       risk.volume_per_day[array_position(risk.instruments, o.instrument)] AS volume
FROM orders o
LEFT JOIN signals s ON s.session_id = o.session_id AND s.event_id = o.cause
LEFT JOIN instruments i ON i.session_id = o.session_id AND i.instrument = o.instrument
LEFT JOIN LATERAL (
    SELECT split_part(reason, ':', 1) AS schedule FROM children
    WHERE children.session_id = o.session_id AND children.client_order_id = o.client_order_id AND parent = ''
) worked ON true
JOIN LATERAL (
    SELECT min(event_ns) AS arrived_ns, max(event_ns) AS last_ns, bool_or(status IN ('filled', 'canceled', 'rejected')) AS over
    FROM reports
    WHERE reports.session_id = o.session_id AND reports.client_order_id = o.client_order_id
    HAVING count(*) > 0
) said ON true
LEFT JOIN LATERAL (
    SELECT instruments, deviation_per_lot, volume_per_day
    FROM risk_updates
    WHERE risk_updates.session_id = o.session_id AND account = o.account AND event_time <= o.event_time
    ORDER BY event_time DESC
    LIMIT 1
) risk ON true
WHERE o.session_id = %(session)s AND o.action = 'new'
  AND (%(pair)s::text IS NULL OR o.pair = %(pair)s)
  AND o.event_time >= coalesce(%(from)s::timestamptz, '-infinity')
  AND o.event_time < coalesce(%(to)s::timestamptz, 'infinity')
ORDER BY o.event_ns, o.client_order_id
