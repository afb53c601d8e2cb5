-- about: the sessions that the history holds, newest first; what was backfilled from files last
SELECT s.session_id, s.topic_prefix, s.first_loaded_at, l.updated_at AS last_loaded_at, l.records_behind
FROM sessions s LEFT JOIN loader_status l USING (session_id)
ORDER BY s.session_id = 'archive', s.first_loaded_at DESC, s.session_id
LIMIT %(limit)s
