-- about: how an order was worked: its schedule, and each child with why it went where it did
SELECT event_id, account, event_ns AS event_time_ns, 'new' AS action, client_order_id, parent AS target, venue, instrument,
       side, quantity, order_type, limit_price, reason
FROM children
WHERE session_id = %(session)s AND (parent = %(client_order_id)s OR (client_order_id = %(client_order_id)s AND parent = ''))
ORDER BY event_ns, parent, client_order_id
