-- about: the last quote of an instrument at a time or in the hour before it, by what the spread was made of
SELECT venue, feed_session AS session, sequence, frame, instrument, kind, flags, event_ns, receive_ns, bid, bid_size, ask,
       ask_size
FROM ticks
WHERE session_id = %(session)s AND instrument = %(instrument)s AND kind = 'quote' AND flags & %(spoiled)s::int = 0
  AND event_time BETWEEN %(at)s::timestamptz - INTERVAL '1 hour' AND %(at)s
  AND (feed_session <> %(feed_session)s OR sequence <= %(sequence)s)
ORDER BY event_time DESC, sequence DESC
LIMIT 1
