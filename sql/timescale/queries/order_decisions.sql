-- about: decisions of the trader: whose id or target begins so, or that an event caused; in one session, or in any
SELECT session_id, client_order_id, action, account, event_ns AS event_time_ns, venue, instrument, side, quantity,
       order_type, limit_price, pair, leg, cause, reason, strategy, checks, target, amount
FROM orders
WHERE (%(session)s::text IS NULL OR session_id = %(session)s)
  AND (client_order_id LIKE %(begins)s OR (target <> '' AND target LIKE %(begins)s) OR cause = %(cause)s)
ORDER BY event_ns, client_order_id, action
LIMIT 1000
