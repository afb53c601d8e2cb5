-- about: the tick that made a crossing: by its number in its feed session, at the crossing's time or up to a minute before
SELECT venue, feed_session AS session, sequence, frame, instrument, kind, flags, event_ns, receive_ns, bid, bid_size, ask,
       ask_size
FROM ticks
WHERE session_id = %(session)s AND feed_session = %(feed_session)s AND sequence = %(sequence)s
  AND event_time BETWEEN %(at)s::timestamptz - INTERVAL '1 minute' AND %(at)s
LIMIT 1
