-- What an account books without a fill: lots crossed between pairs, splits, dividends. `reason` begins with which it is.
ALTER TABLE orders ADD COLUMN amount double precision NOT NULL DEFAULT 0;       -- money, in the instrument's currency
CREATE INDEX orders_booked ON orders (session_id, event_time) WHERE action = 'booked';

CREATE VIEW entries AS          -- all that moves a position: fills, and what was booked without one. They add up to it
SELECT f.session_id, f.account, f.event_time, f.event_ns, coalesce(o.strategy, '') AS strategy, coalesce(o.pair, '') AS pair,
       f.venue, f.instrument, f.side, f.quantity AS lots, f.price, f.client_order_id, f.exec_id, f.amends,
       coalesce(o.cause, '') AS cause, '' AS booked, 0.0::double precision AS amount
FROM fills f
LEFT JOIN orders o ON o.session_id = f.session_id AND o.client_order_id = f.client_order_id AND o.action = 'new'
UNION ALL
SELECT session_id, account, event_time, event_ns, strategy, pair, venue, instrument, side, quantity, limit_price,
       client_order_id, client_order_id, '', cause, split_part(reason, ':', 1), amount
FROM orders
WHERE action = 'booked';
