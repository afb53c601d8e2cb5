-- about: of which feed session an instrument's book was at a time, where its last snapshot began, and whether it is whole
SELECT newest.venue, newest.feed_session, snapshot.event_time AS snapshot_time, coalesce(snapshot.sequence, 0) AS from_sequence,
       lost.event_time AS lost_at
FROM (
    SELECT venue, feed_session, event_time
    FROM books
    WHERE session_id = %(session)s AND instrument = %(instrument)s AND event_time <= %(at)s::timestamptz
      AND (%(venue)s::text IS NULL OR venue = %(venue)s)
    ORDER BY event_time DESC, sequence DESC
    LIMIT 1
) newest
LEFT JOIN LATERAL (
    SELECT last.event_time, (
        SELECT min(b.sequence)
        FROM books b
        WHERE b.session_id = %(session)s AND b.instrument = %(instrument)s AND b.flags & 64 <> 0
          AND b.venue = newest.venue AND b.feed_session = newest.feed_session AND b.frame = last.frame
          AND b.event_time BETWEEN last.event_time - INTERVAL '1 minute' AND last.event_time
    ) AS sequence
    FROM books last
    WHERE last.session_id = %(session)s AND last.instrument = %(instrument)s AND last.flags & 64 <> 0
      AND last.venue = newest.venue AND last.feed_session = newest.feed_session
      AND last.event_time <= %(at)s::timestamptz
    ORDER BY last.event_time DESC, last.sequence DESC
    LIMIT 1
) snapshot ON true
LEFT JOIN LATERAL (
    SELECT event_time
    FROM ticks
    WHERE session_id = %(session)s AND instrument = %(instrument)s AND kind = 'status' AND code = 8
      AND venue = newest.venue AND feed_session = newest.feed_session AND sequence > coalesce(snapshot.sequence, 0)
      AND event_time <= %(at)s::timestamptz
    ORDER BY event_time DESC
    LIMIT 1
) lost ON true
