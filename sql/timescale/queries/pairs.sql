-- about: the pairs that a session knows: of its strategy, its spreads, and its orders
SELECT pair FROM pairs WHERE session_id = %(session)s
UNION
SELECT pair FROM spreads WHERE session_id = %(session)s
UNION
SELECT pair FROM orders WHERE session_id = %(session)s AND pair <> ''
ORDER BY 1
