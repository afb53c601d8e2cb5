-- about: the spread events that a signal matched: its pair's from a first to a last sequence, at its time or before
SELECT kind, shard, sequence, pair, event_ns AS event_time_ns, rung, z, spread, mean, std, beta, mid_a, mid_b, tick_session,
       tick_sequence
FROM spreads
WHERE session_id = %(session)s AND pair = %(pair)s AND shard = %(shard)s
  AND sequence BETWEEN %(first)s AND %(last)s AND event_time <= %(at)s
ORDER BY sequence
