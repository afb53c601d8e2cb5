-- about: what venues said of some instruments: halted, paused, trading and so on, in order
SELECT instrument, event_time AS time, code
FROM ticks
WHERE session_id = %(session)s AND instrument = ANY(%(instruments)s) AND kind = 'status'
  AND event_time < coalesce(%(to)s::timestamptz, 'infinity')
ORDER BY event_time, sequence
