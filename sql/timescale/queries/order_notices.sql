-- about: what an account said of its state until a time, or with an event that caused an order; the newest first
SELECT session_id, client_order_id, action, account, event_ns AS event_time_ns, venue, instrument, side, quantity,
       order_type, limit_price, pair, leg, cause, reason, strategy, checks, target, amount
FROM orders
WHERE session_id = %(session)s AND account = %(account)s AND action = 'notice'
  AND (event_ns <= %(until_ns)s OR cause = %(cause)s)
ORDER BY event_ns DESC
LIMIT 100
