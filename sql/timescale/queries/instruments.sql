-- about: the instruments that a session knows: of its strategy, its bars, and its newest ticks
SELECT instrument FROM instruments WHERE session_id = %(session)s
UNION
SELECT instrument FROM bars_1m WHERE session_id = %(session)s
UNION
SELECT instrument FROM (
    SELECT instrument FROM ticks WHERE session_id = %(session)s ORDER BY event_time DESC LIMIT 20000
) newest
ORDER BY 1
