-- signal: bar_reversion
-- about: a spread of bars that has left its band turns back: enter at the turn, leave at the mean
-- owner: statistical arbitrage
-- version: 1
-- inputs: spreads
-- param: entry_z  z = 2.0            range 0.25..10
-- param: exit_z   z = 0.5            range 0..6
-- param: hold     interval = 6 hours
-- levels: entry_z
--
-- The closing quotes of two legs' bars have one time, and come one after the other: between them the spread is of a new
-- price and an old one, and z crosses levels that it never stood at. A sample is of what stood at a whole second, so this
-- reads samples alone. What is further apart than hold (a night) makes no turn.
SELECT pair, event_time_ns, action, z, spread, beta, mid_a, mid_b, shard, first_sequence, last_sequence
FROM spreads MATCH_RECOGNIZE (
  PARTITION BY pair
  ORDER BY event_time, sequence
  MEASURES
    TURN.event_time_ns AS event_time_ns,
    CASE WHEN TURN.z > 0 THEN 'enter_short' ELSE 'enter_long' END AS action,
    TURN.z AS z, TURN.spread AS spread, TURN.beta AS beta, TURN.mid_a AS mid_a, TURN.mid_b AS mid_b,
    TURN.shard AS shard, PEAK.sequence AS first_sequence, TURN.sequence AS last_sequence
  ONE ROW PER MATCH
  AFTER MATCH SKIP TO NEXT ROW
  PATTERN (PEAK TURN) WITHIN :hold
  DEFINE
    PEAK AS ABS(PEAK.z) >= :entry_z,
    TURN AS ABS(TURN.z) < ABS(LAST(PEAK.z, 0)) AND ABS(TURN.z) > :exit_z AND TURN.z * LAST(PEAK.z, 0) > 0
)
UNION ALL
SELECT pair, event_time_ns, 'exit' AS action, z, spread, beta, mid_a, mid_b, shard, first_sequence, last_sequence
FROM spreads MATCH_RECOGNIZE (
  PARTITION BY pair
  ORDER BY event_time, sequence
  MEASURES
    HOME.event_time_ns AS event_time_ns, HOME.z AS z, HOME.spread AS spread, HOME.beta AS beta,
    HOME.mid_a AS mid_a, HOME.mid_b AS mid_b, HOME.shard AS shard,
    AWAY.sequence AS first_sequence, HOME.sequence AS last_sequence
  ONE ROW PER MATCH
  AFTER MATCH SKIP TO LAST HOME
  PATTERN (AWAY HOME) WITHIN :hold
  DEFINE
    AWAY AS ABS(AWAY.z) > :exit_z,
    HOME AS ABS(HOME.z) <= :exit_z OR HOME.z * LAST(AWAY.z, 0) < 0
)
