-- about: the instruments that a session knows: of its strategy, its ticks, and its minute bars
SELECT instrument FROM instruments WHERE session_id = %(session)s
UNION
SELECT instrument FROM ohlcv_1d WHERE session_id = %(session)s
UNION
SELECT instrument FROM bars_1m WHERE session_id = %(session)s
ORDER BY 1
