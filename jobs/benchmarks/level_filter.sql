-- signal: level_filter
-- about: enter where a spread passes a level, leave at the mean: what pair_reversion does, without a pattern
-- owner: benchmarks
-- version: 1
-- inputs: crossings
-- param: entry_z  z = 2.0            range 0.5..10
-- param: exit_z   z = 0.5            range 0..6
-- levels: exit_z, entry_z..
SELECT pair, event_time_ns, CASE WHEN z > 0 THEN 'enter_short' ELSE 'enter_long' END AS action,
  z, spread, beta, mid_a, mid_b, shard, `sequence` AS first_sequence, `sequence` AS last_sequence
FROM crossings
WHERE ABS(z) >= :entry_z AND (ABS(z_before) < :entry_z OR z * z_before < 0)
UNION ALL
SELECT pair, event_time_ns, 'exit' AS action, z, spread, beta, mid_a, mid_b, shard,
  `sequence` AS first_sequence, `sequence` AS last_sequence
FROM crossings
WHERE ABS(z_before) > :exit_z AND (ABS(z) <= :exit_z OR z * z_before < 0)
