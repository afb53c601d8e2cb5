-- signal: pair_momentum
-- about: one leg outruns the other over minutes: go with it while it lasts
-- owner: statistical arbitrage
-- version: 1
-- inputs: pair_bars
-- param: lookback int = 30       range 1..390
-- param: entry_bp double = 40    range 1..2000
-- param: exit_bp  double = 10    range 0..2000
--
-- Strength: what one unit of the first leg and -beta of the second would have made over `lookback` minutes, in basis
-- points of the first leg. Where a minute is missing in between there is none: nothing is bridged.
-- Entered where strength passes entry_bp, unless a leg is stale, halted or closed, or its feed has a gap (flags below
-- 128); that the spread is not stationary keeps nobody out: it is what is looked for. Left where strength comes to
-- exit_bp or nearer, or changes side; that comes first.
SELECT pair, event_time_ns, z, spread, beta, mid_a, mid_b, shard, `sequence` AS last_sequence,
  CASE
    WHEN ABS(before) > :exit_bp AND (ABS(strength) <= :exit_bp OR strength * before < 0) THEN 'exit'
    WHEN strength > 0 THEN 'enter_long'
    ELSE 'enter_short'
  END AS action
FROM (
  SELECT *, FIRST_VALUE(strength) OVER last_two AS before
  FROM (
    SELECT *, 10000 * (mid_a - then_a - beta * (mid_b - then_b)) / then_a AS strength
    FROM (
      SELECT *, FIRST_VALUE(mid_a) OVER back AS then_a, FIRST_VALUE(mid_b) OVER back AS then_b,
        FIRST_VALUE(event_time_ms) OVER back AS then_ms
      FROM pair_bars
      WINDOW back AS (PARTITION BY pair ORDER BY event_time ROWS BETWEEN :lookback PRECEDING AND CURRENT ROW))
    WHERE event_time_ms - then_ms = 60000 * :lookback)
  WINDOW last_two AS (PARTITION BY pair ORDER BY event_time ROWS BETWEEN 1 PRECEDING AND CURRENT ROW))
WHERE (ABS(before) > :exit_bp AND (ABS(strength) <= :exit_bp OR strength * before < 0))
  OR (ABS(strength) >= :entry_bp AND ABS(before) < :entry_bp AND flags = 0)
