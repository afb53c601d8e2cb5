-- signal: imbalance_entry
-- about: a spread that is out, and books that lean towards its way back: enter with them
-- owner: statistical arbitrage
-- version: 1
-- inputs: book_imbalance
-- param: out_z      double = 1.5   range 0..19
-- param: exit_z     double = 0.25  range 0..19
-- param: lean       double = 0.4   range 0.05..2
-- param: against    double = 0.4   range 0.05..2
-- param: smooth     interval = 10 seconds
--
-- Lean: the first leg's imbalance less the second's (more of it, where beta is below zero), its mean over `smooth`;
-- taken towards the way back: positive where a spread above its mean is leant down on, or one below it held up.
-- Entered where z is out and the lean reaches `lean`, while nothing is to be known of the pair (flags). Left where z
-- comes to exit_z, or changes side, or the books turn `against` the way back.
SELECT pair, event_time_ns, z, spread, beta, mid_a, mid_b, shard, `sequence` AS last_sequence,
  CASE WHEN leaves THEN 'exit' WHEN z < 0 THEN 'enter_long' ELSE 'enter_short' END AS action
FROM (
  SELECT *,
    (ABS(z_before) > :exit_z AND (ABS(z) <= :exit_z OR z * z_before < 0))
      OR (back <= -:against AND back_before > -:against) AS leaves
  FROM (
    SELECT *, FIRST_VALUE(z) OVER last_two AS z_before, FIRST_VALUE(back) OVER last_two AS back_before
    FROM (
      SELECT *, -SIGN(z) * AVG(imbalance_a - SIGN(beta) * imbalance_b) OVER (
        PARTITION BY pair ORDER BY event_time RANGE BETWEEN :smooth PRECEDING AND CURRENT ROW) AS back
      FROM book_imbalance)
    WINDOW last_two AS (PARTITION BY pair ORDER BY event_time ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)))
WHERE leaves OR (
  flags = 0 AND ABS(z) >= :out_z AND back >= :lean AND NOT (ABS(z_before) >= :out_z AND back_before >= :lean))
