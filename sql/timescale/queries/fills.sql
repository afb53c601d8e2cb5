-- about: fills with the pair and the signal that they come from; all, or of an instrument, or of a pair
-- note: lots below zero take back those of the fill that `amends` names; all rows together are the position
SELECT * FROM (
    SELECT f.event_time AS time, coalesce(o.pair, '') AS pair, f.instrument, f.side, f.quantity AS lots, f.price,
           f.quantity * f.price * coalesce(i.lot_size, 1) AS notional, f.venue, f.client_order_id, f.exec_id, f.amends,
           coalesce(o.cause, '') AS cause, f.event_ns
    FROM fills f
    LEFT JOIN orders o ON o.session_id = f.session_id AND o.client_order_id = f.client_order_id AND o.action = 'new'
    LEFT JOIN instruments i ON i.session_id = f.session_id AND i.instrument = f.instrument
    WHERE f.session_id = %(session)s
      AND (%(instrument)s::text IS NULL OR f.instrument = %(instrument)s)
      AND (%(pair)s::text IS NULL OR o.pair = %(pair)s)
      AND f.event_time >= coalesce(%(from)s::timestamptz, '-infinity')
      AND f.event_time < coalesce(%(to)s::timestamptz, 'infinity')
    ORDER BY f.event_ns DESC, f.exec_id DESC, f.amends
    LIMIT %(limit)s
) newest
ORDER BY event_ns, exec_id, amends DESC
