-- signal: pair_stop
-- about: a spread that no longer comes back: leave where it breaks out, stays out for too long, or is a pair no more
-- owner: statistical arbitrage
-- version: 2
-- inputs: crossings, spreads, pair_bars
-- param: stop_z   z = 4.0            range 1..19
-- param: out_z    z = 2.0            range 0.5..10
-- param: exit_z   z = 0.5            range 0..6
-- param: patience interval = 2 hours
-- param: longest  interval = 3 hours
-- param: broken   int = 30            range 1..1440
-- param: least_correlation double = 0.2 range -1..1
-- levels: stop_z..
--
-- The break: z reaches stop_z, on either side, from where it was not. It is one crossing, so it needs no pattern.
-- The time stop: z has gone out to out_z, and patience later it has not been back at exit_z, nor on the other side. It is
-- told once, by the first sample after that; the next begins when z has been inside out_z and leaves again.
-- The pair no more: for `broken` minutes in a row its spread was not stationary, or its legs went apart. Told once; the
-- next after a minute in health. A minute whose health is of too few minutes counts as one in health.
-- longest has to be above patience: what has gone on for so long without a sample (a halt, a night) is forgotten.
SELECT pair, event_time_ns, 'exit' AS action, z, spread, beta, mid_a, mid_b, shard
FROM crossings
WHERE ABS(z) >= :stop_z AND (ABS(z_before) < :stop_z OR z * z_before < 0)
UNION ALL
SELECT pair, event_time_ns, 'exit' AS action, z, spread, beta, mid_a, mid_b, shard
FROM spreads MATCH_RECOGNIZE (
  PARTITION BY pair
  ORDER BY event_time, sequence
  MEASURES
    LATE.event_time_ns AS event_time_ns, LATE.z AS z, LATE.spread AS spread, LATE.beta AS beta,
    LATE.mid_a AS mid_a, LATE.mid_b AS mid_b, LATE.shard AS shard
  ONE ROW PER MATCH
  AFTER MATCH SKIP PAST LAST ROW
  PATTERN (INSIDE GONE AWAY*? LATE) WITHIN :longest
  DEFINE
    INSIDE AS ABS(INSIDE.z) < :out_z,
    GONE AS ABS(GONE.z) >= :out_z,
    AWAY AS ABS(AWAY.z) > :exit_z AND AWAY.z * LAST(GONE.z, 0) > 0
      AND AWAY.event_time < LAST(GONE.event_time, 0) + :patience,
    LATE AS ABS(LATE.z) > :exit_z AND LATE.z * LAST(GONE.z, 0) > 0
      AND LATE.event_time >= LAST(GONE.event_time, 0) + :patience
)
UNION ALL
SELECT pair, event_time_ns, 'exit' AS action, z, spread, beta, mid_a, mid_b, shard
FROM (
  SELECT *, SUM(ill) OVER till_now AS ill_minutes, FIRST_VALUE(ill) OVER till_now AS first_ill,
    COUNT(*) OVER till_now AS there
  FROM (
    SELECT *, CASE WHEN minutes > 0 AND (adf_t > adf_critical OR correlation * SIGN(beta) < :least_correlation)
      THEN 1 ELSE 0 END AS ill
    FROM pair_bars)
  WINDOW till_now AS (PARTITION BY pair ORDER BY event_time ROWS BETWEEN :broken PRECEDING AND CURRENT ROW))
WHERE ill_minutes = :broken AND (first_ill = 0 OR there = :broken)
