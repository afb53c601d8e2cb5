-- signal: pair_band
-- about: a spread outside its band: enter as soon as it is there, leave once it is inside again
-- owner: statistical arbitrage
-- version: 1
-- inputs: crossings
-- param: entry_z  z = 2.0            range 0.5..10
-- param: exit_z   z = 0.5            range 0.25..6
-- levels: exit_z, entry_z
--
-- Two states: flat, and in. A crossing to entry_z or beyond enters where the pair is flat, one to inside of exit_z leaves
-- where it is in; any other changes nothing, a leap to the other side of the band included. So of the crossings to one of
-- the two zones each counts that is not of the zone of the one before it, and the first if it is outside.
-- It enters while the spread still runs away. pair_reversion waits for the turn.
SELECT pair, event_time_ns,
  CASE WHEN zone = 0 THEN 'exit' WHEN z > 0 THEN 'enter_short' ELSE 'enter_long' END AS action,
  z, spread, beta, mid_a, mid_b, shard, `sequence` AS first_sequence, `sequence` AS last_sequence
FROM (
  SELECT *, SUM(zone) OVER last_two AS zones, COUNT(*) OVER last_two AS rows_there
  FROM (
    SELECT *, CASE WHEN ABS(z) >= :entry_z THEN 1 ELSE 0 END AS zone
    FROM crossings
    WHERE ABS(z) >= :entry_z OR ABS(z) < :exit_z
  )
  WINDOW last_two AS (PARTITION BY pair ORDER BY event_time ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
)
WHERE zones = 1 AND (zone = 1 OR rows_there = 2)
