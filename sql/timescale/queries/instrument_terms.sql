-- about: tick size, lot size and currency of a session's instruments, where the loader was given the strategy
SELECT instrument, tick_size, lot_size, currency FROM instruments WHERE session_id = %(session)s ORDER BY 1
