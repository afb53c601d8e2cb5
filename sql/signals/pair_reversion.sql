-- signal: pair_reversion
-- about: a spread that has left its band turns back: enter at the turn, one entry a turn; leave at the mean
-- owner: statistical arbitrage
-- version: 3
-- inputs: crossings
-- param: entry_z  z = 2.0            range 0.5..10
-- param: exit_z   z = 0.5            range 0..6
-- param: hold     interval = 1 day
-- levels: exit_z, entry_z..
--
-- A turn: a crossing further out than the one before it, at entry_z or beyond, and then one that is nearer to the mean
-- but has not reached exit_z. What falls further makes no second turn; what rises and turns again does. Only crossings
-- that begin or end at entry_z or beyond can be part of one, and one that follows such a crossing always begins there.
-- Flags: neither peak nor turn is taken while anything is to be known of the pair (a leg stale, halted or closed, a gap,
-- a reopening, a break). Exits are taken always.
-- The mean: a crossing to exit_z or nearer, or to the other side, from where it was not. One row says that by itself, so
-- it needs no pattern, and no exit is missed however long it takes.
-- The hold: crossings further apart than this make no turn. It bounds no state (a pair keeps one row at most) and is
-- long, as a spread may stay between two levels for hours.
SELECT pair, event_time_ns, action, z, spread, beta, mid_a, mid_b, shard, first_sequence, last_sequence
FROM (SELECT * FROM crossings WHERE ABS(z) >= :entry_z OR ABS(z_before) >= :entry_z) MATCH_RECOGNIZE (
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
    PEAK AS PEAK.flags = 0 AND ABS(PEAK.z) >= :entry_z AND (ABS(PEAK.z) > ABS(PEAK.z_before) OR PEAK.z * PEAK.z_before < 0),
    TURN AS TURN.flags = 0 AND ABS(TURN.z) < ABS(LAST(PEAK.z, 0)) AND ABS(TURN.z) > :exit_z AND TURN.z * LAST(PEAK.z, 0) > 0
)
UNION ALL
SELECT pair, event_time_ns, 'exit' AS action, z, spread, beta, mid_a, mid_b, shard,
  `sequence` AS first_sequence, `sequence` AS last_sequence
FROM crossings
WHERE ABS(z_before) > :exit_z AND (ABS(z) <= :exit_z OR z * z_before < 0)
