-- Why an order was made, who signed a command, and fills that a venue took back or corrected.
ALTER TABLE orders ADD COLUMN strategy text NOT NULL DEFAULT '';        -- of the account; empty: of all
ALTER TABLE orders ADD COLUMN checks text[] NOT NULL DEFAULT '{}';      -- those it passed: `check: value, limit`
ALTER TABLE orders ADD COLUMN target text NOT NULL DEFAULT '';          -- of a cancel: the order to be canceled
ALTER TABLE commands ADD COLUMN signature text NOT NULL DEFAULT '';     -- base64; empty: not signed
ALTER TABLE reports ADD COLUMN amends text NOT NULL DEFAULT '';         -- exec_id of a fill that it takes back or corrects
ALTER TABLE reports ADD COLUMN amended_quantity bigint NOT NULL DEFAULT 0;          -- of that fill, as it was told
ALTER TABLE reports ADD COLUMN amended_price double precision NOT NULL DEFAULT 0;
CREATE INDEX orders_by_cause ON orders (session_id, cause);
CREATE INDEX orders_by_id ON orders (client_order_id text_pattern_ops);
CREATE INDEX orders_by_target ON orders (target text_pattern_ops) WHERE target <> '';

-- Fills add up to the position, always: a report that amends one is a row that takes the lots back (a negative quantity
-- at the price as it was told, `amends` naming the fill), and, where it corrects it, another with what is right.
ALTER TABLE fills ADD COLUMN amends text NOT NULL DEFAULT '';
ALTER TABLE fills DROP CONSTRAINT fills_pkey;
ALTER TABLE fills ADD PRIMARY KEY (session_id, venue, exec_id, amends);

DROP VIEW order_status;
CREATE VIEW order_status AS                     -- orders sent, with what the venue last said
SELECT o.*, coalesce(r.status, 'sent') AS status, coalesce(r.filled, 0) AS filled_quantity, r.average_price,
       r.last_word, r.last_report_time
FROM orders o
LEFT JOIN LATERAL (
    -- what was said since the last amendment, it included, counts before what was said until then
    SELECT (array_agg(status ORDER BY (event_ns >= amended_ns) DESC, cumulative_quantity DESC,
                      (status IN ('filled', 'canceled', 'rejected')) DESC, event_ns DESC))[1] AS status,
           sum(last_quantity - amended_quantity)::bigint AS filled,
           sum(last_quantity * last_price - amended_quantity * amended_price)
               / nullif(sum(last_quantity - amended_quantity), 0) AS average_price,
           (array_agg(text ORDER BY event_ns DESC))[1] AS last_word,
           max(event_time) AS last_report_time
    FROM (
        SELECT *, coalesce(max(event_ns) FILTER (WHERE amends <> '') OVER (), 0) AS amended_ns
        FROM reports
        WHERE reports.session_id = o.session_id AND reports.client_order_id = o.client_order_id
    ) said
    HAVING count(*) > 0
) r ON true
WHERE o.action = 'new';
