-- about: an order book as of a time, from its last snapshot and every level that changed since, best prices first
-- note: levels go by their sequence: the order in which the venue sent them; a late one is at most a minute late
SELECT side, depth, price, quantity, total, changed_at FROM (
    SELECT *, row_number() OVER best AS depth, sum(quantity) OVER best AS total
    FROM (
        SELECT side, price, last(quantity, sequence) AS quantity, last(event_time, sequence) AS changed_at,
               CASE side WHEN 'bid' THEN -price ELSE price END AS rank
        FROM books
        WHERE session_id = %(session)s AND instrument = %(instrument)s AND venue = %(venue)s
          AND feed_session = %(feed_session)s AND sequence >= %(from_sequence)s
          AND event_time >= coalesce(%(snapshot_time)s::timestamptz - INTERVAL '1 minute', '-infinity')
          AND event_time <= %(at)s::timestamptz
        GROUP BY side, price
    ) newest
    WHERE quantity > 0
    WINDOW best AS (PARTITION BY side ORDER BY rank)
) levels
WHERE depth <= %(limit)s
ORDER BY side DESC, depth
