-- about: fills with the pair and the signal that they come from, and what was booked without one; all, or of an instrument, or of a pair
-- note: lots below zero take back those of the fill that `amends` names; all rows together are the position
SELECT * FROM (
    SELECT e.event_time AS time, e.pair, e.instrument, e.side, e.lots, e.price,
           e.lots * e.price * coalesce(i.lot_size, 1) AS notional, e.venue, e.client_order_id, e.exec_id, e.amends,
           e.cause, e.booked, e.amount, e.event_ns
    FROM entries e
    LEFT JOIN instruments i ON i.session_id = e.session_id AND i.instrument = e.instrument
    WHERE e.session_id = %(session)s
      AND (%(instrument)s::text IS NULL OR e.instrument = %(instrument)s)
      AND (%(pair)s::text IS NULL OR e.pair = %(pair)s)
      AND e.event_time >= coalesce(%(from)s::timestamptz, '-infinity')
      AND e.event_time < coalesce(%(to)s::timestamptz, 'infinity')
    ORDER BY e.event_ns DESC, e.exec_id DESC, e.amends
    LIMIT %(limit)s
) newest
ORDER BY event_ns, exec_id, amends DESC
