-- about: the rows of an instrument's ticks as they are kept, in order: all kinds, or one
SELECT * FROM (
    SELECT event_time AS time, venue, kind, bid, bid_size, ask, ask_size, flags, code, event_ns, receive_ns, feed_session,
           sequence, frame
    FROM ticks
    WHERE session_id = %(session)s AND instrument = %(instrument)s
      AND (%(venue)s::text IS NULL OR venue = %(venue)s)
      AND (%(kind)s::text IS NULL OR kind = %(kind)s)
      AND event_time >= coalesce(%(from)s::timestamptz, '-infinity')
      AND event_time < coalesce(%(to)s::timestamptz, 'infinity')
    ORDER BY event_time DESC, sequence DESC
    LIMIT %(limit)s
) newest
ORDER BY time, event_ns, sequence
