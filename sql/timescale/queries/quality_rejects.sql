-- about: by venue, instrument and reason: what was set aside, and the gaps
SELECT venue, instrument, reason, count(*) AS told, sum(frames)::bigint AS frames
FROM rejects
WHERE session_id = %(session)s AND (%(venue)s::text IS NULL OR venue = %(venue)s)
  AND event_time >= coalesce(%(from)s::timestamptz, '-infinity')
  AND event_time < coalesce(%(to)s::timestamptz, 'infinity')
GROUP BY venue, instrument, reason
ORDER BY venue, instrument, reason
