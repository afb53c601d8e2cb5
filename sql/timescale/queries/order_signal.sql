-- about: a signal by its event id
SELECT account, event_ns AS event_time_ns, name, version, pair, action, z, spread, beta, mid_a, mid_b, shard,
       first_sequence, last_sequence
FROM signals WHERE session_id = %(session)s AND event_id = %(event_id)s
