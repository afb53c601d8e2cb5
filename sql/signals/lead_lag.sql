-- signal: lead_lag
-- about: the second leg has moved and the first has not yet: enter towards it, leave when it has followed (ES leads SPY)
-- owner: statistical arbitrage
-- version: 1
-- inputs: spreads
-- param: horizon  interval = 3 seconds
-- param: lead_bp  double = 3      range 0.1..500
-- param: followed double = 0.5    range 0..1
-- param: caught   double = 0.7    range 0.1..1
-- param: hold     interval = 30 seconds
-- param: longest  interval = 2 minutes
--
-- A lead: over `horizon` the second leg has moved lead_bp basis points or more, and the first less than `followed` of
-- that the same way (the other way, where beta is below zero). Entered once, where it begins, while nothing is to be
-- known of the pair (flags): long the first leg where it is to rise.
-- Left when the first leg has made up `caught` of what it was behind, or after `hold`. longest has to be above hold: a
-- silence that outlasts it is forgotten.
WITH moved AS (
  SELECT *, 10000 * SIGN(beta) * LN(mid_b / FIRST_VALUE(mid_b) OVER back) AS move_b,
    10000 * LN(mid_a / FIRST_VALUE(mid_a) OVER back) AS move_a,
    10000 * (SIGN(beta) * LN(mid_b) - LN(mid_a)) AS gap
  FROM spreads
  WINDOW back AS (PARTITION BY pair ORDER BY event_time RANGE BETWEEN :horizon PRECEDING AND CURRENT ROW)),
led AS (
  SELECT *, CASE WHEN ABS(move_b) >= :lead_bp AND move_a * SIGN(move_b) < :followed * ABS(move_b)
    THEN SIGN(move_b) ELSE 0E0 END AS side
  FROM moved),
begun AS (
  SELECT *, side <> 0 AND side <> FIRST_VALUE(side) OVER (
    PARTITION BY pair ORDER BY event_time ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS begins
  FROM led)
SELECT pair, event_time_ns, CASE WHEN side > 0 THEN 'enter_long' ELSE 'enter_short' END AS action,
  z, spread, beta, mid_a, mid_b, shard, `sequence` AS first_sequence, `sequence` AS last_sequence
FROM begun
WHERE begins AND flags = 0
UNION ALL
SELECT pair, event_time_ns, 'exit' AS action, z, spread, beta, mid_a, mid_b, shard, first_sequence, last_sequence
FROM begun MATCH_RECOGNIZE (
  PARTITION BY pair
  ORDER BY event_time
  MEASURES
    DONE.event_time_ns AS event_time_ns, DONE.z AS z, DONE.spread AS spread, DONE.beta AS beta,
    DONE.mid_a AS mid_a, DONE.mid_b AS mid_b, DONE.shard AS shard,
    LEAD_ROW.sequence AS first_sequence, DONE.sequence AS last_sequence
  ONE ROW PER MATCH
  AFTER MATCH SKIP PAST LAST ROW
  PATTERN (LEAD_ROW BEHIND*? DONE) WITHIN :longest
  DEFINE
    LEAD_ROW AS LEAD_ROW.begins,
    BEHIND AS BEHIND.event_time < LAST(LEAD_ROW.event_time, 0) + :hold
      AND (LAST(LEAD_ROW.gap, 0) - BEHIND.gap) * LAST(LEAD_ROW.side, 0)
        < :caught * (LAST(LEAD_ROW.move_b, 0) - LAST(LEAD_ROW.move_a, 0)) * LAST(LEAD_ROW.side, 0),
    DONE AS DONE.event_time >= LAST(LEAD_ROW.event_time, 0) + :hold
      OR (LAST(LEAD_ROW.gap, 0) - DONE.gap) * LAST(LEAD_ROW.side, 0)
        >= :caught * (LAST(LEAD_ROW.move_b, 0) - LAST(LEAD_ROW.move_a, 0)) * LAST(LEAD_ROW.side, 0)
)
