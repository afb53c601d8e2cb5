-- about: every fill and booking of an account in a session, with the strategy and the pair that it was for, in their order
-- note: lots below zero take back those of the fill that `amends` names
SELECT event_ns, strategy, pair, venue, instrument, side, lots, price, exec_id, amends, booked, amount
FROM entries
WHERE session_id = %(session)s AND account = %(account)s
ORDER BY event_ns, exec_id, amends DESC
