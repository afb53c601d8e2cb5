-- about: the reports of an order, or one by its event id, in the order of their times
SELECT event_id, account, event_ns AS event_time_ns, venue, exec_id, client_order_id, status, instrument, side,
       last_quantity, last_price, cumulative_quantity, leaves_quantity, text, amends, amended_quantity, amended_price,
       child, child_status, child_cumulative
FROM reports
WHERE session_id = %(session)s AND (client_order_id = %(client_order_id)s OR event_id = %(event_id)s)
ORDER BY event_ns, cumulative_quantity, exec_id
