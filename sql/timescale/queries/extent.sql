-- about: how many rows of each kind a session has, and from when to when: says why an answer is empty
SELECT 'bars' AS what, count(*) AS rows, min(start_time) AS first, max(start_time) AS last
FROM ohlcv_1m WHERE session_id = %(session)s AND (%(instrument)s::text IS NULL OR instrument = %(instrument)s)
UNION ALL
SELECT 'spread events', count(*), min(event_time), max(event_time)
FROM spreads WHERE session_id = %(session)s AND (%(pair)s::text IS NULL OR pair = %(pair)s)
UNION ALL
SELECT 'orders', count(*), min(event_time), max(event_time) FROM orders WHERE session_id = %(session)s AND action = 'new'
UNION ALL
SELECT 'fills', count(*), min(f.event_time), max(f.event_time)
FROM fills f
LEFT JOIN orders o ON o.session_id = f.session_id AND o.client_order_id = f.client_order_id AND o.action = 'new'
WHERE f.session_id = %(session)s
  AND (%(instrument)s::text IS NULL OR f.instrument = %(instrument)s)
  AND (%(pair)s::text IS NULL OR o.pair = %(pair)s)
UNION ALL
SELECT 'risk updates', count(*), min(event_time), max(event_time) FROM risk_updates WHERE session_id = %(session)s
