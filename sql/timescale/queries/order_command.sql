-- about: a command by its event id
SELECT account, event_ns AS event_time_ns, command, scope, operator, reason, signature
FROM commands WHERE session_id = %(session)s AND event_id = %(event_id)s
