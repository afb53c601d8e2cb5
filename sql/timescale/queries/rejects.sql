-- about: what was set aside, and where it lies: all, or for one reason
SELECT * FROM (
    SELECT event_time AS time, venue, instrument, reason, frames,
           raw_topic || '/' || raw_partition || '@' || raw_offset AS place, detail, feed_session, frame
    FROM rejects
    WHERE session_id = %(session)s AND (%(reason)s::text IS NULL OR reason = %(reason)s)
    ORDER BY event_time DESC, feed_session, frame, rejects.instrument, reason
    LIMIT %(limit)s
) newest
ORDER BY time, feed_session, frame, instrument, reason
