-- about: every fill of an account in a session, with the strategy and the pair that it was for, in their order
-- note: lots below zero take back those of the fill that `amends` names
SELECT f.event_ns, coalesce(o.strategy, '') AS strategy, coalesce(o.pair, '') AS pair, f.venue, f.instrument, f.side,
       f.quantity AS lots, f.price, f.exec_id, f.amends
FROM fills f
LEFT JOIN orders o ON o.session_id = f.session_id AND o.client_order_id = f.client_order_id AND o.action = 'new'
WHERE f.session_id = %(session)s AND f.account = %(account)s
ORDER BY f.event_ns, f.exec_id, f.amends DESC
