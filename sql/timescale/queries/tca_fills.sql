-- about: fills of orders as they stand: one that its venue took back or corrected is left out, what corrects it is there
SELECT f.client_order_id, f.event_ns, f.quantity, f.price, f.venue
FROM fills f
JOIN orders o ON o.session_id = f.session_id AND o.client_order_id = f.client_order_id AND o.action = 'new'
WHERE f.session_id = %(session)s AND f.quantity > 0
  AND NOT EXISTS (
      SELECT FROM fills later
      WHERE later.session_id = f.session_id AND later.venue = f.venue AND later.amends = f.exec_id)
  AND (%(pair)s::text IS NULL OR o.pair = %(pair)s)
  AND o.event_time >= coalesce(%(from)s::timestamptz, '-infinity')
  AND o.event_time < coalesce(%(to)s::timestamptz, 'infinity')
ORDER BY f.event_ns, f.exec_id
