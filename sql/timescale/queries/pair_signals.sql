-- about: the signals of a pair, and what the trader made of each: orders, or why none
SELECT s.event_time AS time, s.name, s.version, s.action, s.z, s.spread, s.beta, s.mid_a, s.mid_b, s.event_id,
       coalesce(o.orders, 0) AS orders, coalesce(o.refusal, '') AS refusal
FROM signals s
LEFT JOIN (
    SELECT cause, count(*) FILTER (WHERE action = 'new') AS orders,
           min(reason) FILTER (WHERE action = 'refused') AS refusal
    FROM orders
    WHERE session_id = %(session)s AND pair = %(pair)s
    GROUP BY cause
) o ON o.cause = s.event_id
WHERE s.session_id = %(session)s AND s.pair = %(pair)s
  AND s.event_time >= coalesce(%(from)s::timestamptz, '-infinity')
  AND s.event_time < coalesce(%(to)s::timestamptz, 'infinity')
ORDER BY s.event_ns, s.event_id
