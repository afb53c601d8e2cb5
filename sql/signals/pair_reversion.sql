-- signal: pair_reversion
-- about: a spread that has left its band turns back: enter at the turn, one entry a turn; leave at the mean
-- param: entry_z  z = 2.0            range 0.5..10
-- param: exit_z   z = 0.5            range 0..6
-- param: hold     interval = 1 day
--
-- A turn: a crossing further out than the one before it, at entry_z or beyond, and then one that is nearer to the mean
-- but has not reached exit_z. What falls further makes no second turn; what rises and turns again does.
-- The mean: the first crossing at exit_z or nearer, or on the other side, after one that was not.
-- The hold: crossings further apart than this are not put together. It bounds no state (a pair keeps two rows at most) and
-- is long, as a spread may stay on one rung for hours and its exit must not be missed.
SELECT pair, event_time_ns, action, z, spread, beta, mid_a, mid_b, shard, first_sequence, last_sequence
FROM crossings MATCH_RECOGNIZE (
  PARTITION BY pair
  ORDER BY event_time, sequence
  MEASURES
    TURN.event_time_ns AS event_time_ns,
    CASE WHEN TURN.z > 0 THEN 'enter_short' ELSE 'enter_long' END AS action,
    TURN.z AS z, TURN.spread AS spread, TURN.beta AS beta, TURN.mid_a AS mid_a, TURN.mid_b AS mid_b,
    TURN.shard AS shard, PEAK.sequence AS first_sequence, TURN.sequence AS last_sequence
  ONE ROW PER MATCH
  AFTER MATCH SKIP TO NEXT ROW
  PATTERN (BEFORE PEAK TURN) WITHIN :hold
  DEFINE
    PEAK AS ABS(PEAK.z) >= :entry_z AND (ABS(PEAK.z) > ABS(LAST(BEFORE.z, 0)) OR PEAK.z * LAST(BEFORE.z, 0) < 0),
    TURN AS ABS(TURN.z) < ABS(LAST(PEAK.z, 0)) AND ABS(TURN.z) > :exit_z AND TURN.z * LAST(PEAK.z, 0) > 0
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
  AFTER MATCH SKIP TO NEXT ROW
  PATTERN (AWAY BACK) WITHIN :hold
  DEFINE
    AWAY AS ABS(AWAY.z) > :exit_z,
    BACK AS ABS(BACK.z) <= :exit_z OR BACK.z * LAST(AWAY.z, 0) < 0
)
