-- signal: pair_reversion
-- about: a spread that has left its band comes back: enter at the first rung of its return, leave at the mean
-- param: entry_z  z = 2.0            range 0.5..10
-- param: exit_z   z = 0.5            range 0..6
-- param: hold     interval = 30 minutes
SELECT pair, event_time_ns, action, z, spread, beta, mid_a, mid_b, shard, first_sequence, last_sequence
FROM crossings MATCH_RECOGNIZE (
  PARTITION BY pair
  ORDER BY event_time, sequence
  MEASURES
    TURN.event_time_ns AS event_time_ns,
    CASE WHEN TURN.z > 0 THEN 'enter_short' ELSE 'enter_long' END AS action,
    TURN.z AS z, TURN.spread AS spread, TURN.beta AS beta, TURN.mid_a AS mid_a, TURN.mid_b AS mid_b,
    TURN.shard AS shard, OUTSIDE.sequence AS first_sequence, TURN.sequence AS last_sequence
  ONE ROW PER MATCH
  AFTER MATCH SKIP PAST LAST ROW
  PATTERN (OUTSIDE TURN) WITHIN :hold
  DEFINE
    OUTSIDE AS ABS(OUTSIDE.z) >= :entry_z,
    TURN AS ABS(TURN.z) < ABS(LAST(OUTSIDE.z, 0)) AND ABS(TURN.z) > :exit_z AND TURN.z * LAST(OUTSIDE.z, 0) > 0
)
UNION ALL
SELECT pair, event_time_ns, action, z, spread, beta, mid_a, mid_b, shard, first_sequence, last_sequence
FROM crossings MATCH_RECOGNIZE (
  PARTITION BY pair
  ORDER BY event_time, sequence
  MEASURES
    BACK.event_time_ns AS event_time_ns, 'exit' AS action,
    BACK.z AS z, BACK.spread AS spread, BACK.beta AS beta, BACK.mid_a AS mid_a, BACK.mid_b AS mid_b,
    BACK.shard AS shard, AWAY.sequence AS first_sequence, BACK.sequence AS last_sequence
  ONE ROW PER MATCH
  AFTER MATCH SKIP PAST LAST ROW
  PATTERN (AWAY BACK) WITHIN :hold
  DEFINE
    AWAY AS ABS(AWAY.z) > :exit_z,
    BACK AS ABS(BACK.z) <= :exit_z OR BACK.z * LAST(AWAY.z, 0) < 0
)
