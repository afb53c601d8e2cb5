-- about: decisions of the trader with what became of them; all, or of a pair, a strategy, an action (new, refused, cancel, notice, booked)
SELECT time, action, strategy, pair, instrument, side, lots, status, filled, price, reason, cause, client_order_id, target, checks,
       event_ns
FROM (
    SELECT o.event_time AS time, o.action, o.strategy, o.pair, o.instrument, CASE WHEN o.quantity > 0 THEN o.side ELSE '' END AS side,
           o.quantity AS lots, CASE WHEN o.action = 'booked' THEN 'booked' ELSE coalesce(s.status, '') END AS status,
           CASE WHEN o.action = 'booked' THEN o.quantity ELSE s.filled_quantity END AS filled,
           CASE WHEN o.action = 'booked' THEN nullif(o.limit_price, 0) ELSE s.average_price END AS price,
           o.reason, o.cause, o.client_order_id, o.target, o.checks, o.event_ns
    FROM orders o
    LEFT JOIN order_status s
           ON o.action = 'new' AND s.session_id = o.session_id AND s.client_order_id = o.client_order_id
    WHERE o.session_id = %(session)s
      AND o.action <> 'drain'
      AND (%(pair)s::text IS NULL OR o.pair = %(pair)s)
      AND (%(strategy)s::text IS NULL OR o.strategy = %(strategy)s)
      AND (%(action)s::text IS NULL OR o.action = %(action)s)
      AND o.event_time >= coalesce(%(from)s::timestamptz, '-infinity')
      AND o.event_time < coalesce(%(to)s::timestamptz, 'infinity')
    ORDER BY o.event_ns DESC, o.client_order_id DESC
    LIMIT %(limit)s
) newest
ORDER BY event_ns, action DESC, client_order_id
