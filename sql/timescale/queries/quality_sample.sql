-- about: the newest rows of a table of a session, to be held against what is expected of them
SELECT * FROM {table} WHERE session_id = %(session)s ORDER BY {time} DESC LIMIT %(limit)s
