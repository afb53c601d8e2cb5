-- How orders are worked: a row of each order that is, its schedule as reason, and one of each child with why it went there.
CREATE TABLE children (
    session_id      text NOT NULL,
    event_id        text NOT NULL,
    account         text NOT NULL,
    event_time      timestamptz NOT NULL,       -- since when it is worked; when the child was decided on
    event_ns        bigint NOT NULL,
    client_order_id text NOT NULL,
    parent          text NOT NULL,              -- client_order_id of the order that it is a child of; empty of that itself
    venue           text NOT NULL,
    instrument      text NOT NULL,
    side            text NOT NULL,
    quantity        bigint NOT NULL,            -- lots
    order_type      text NOT NULL,              -- 'worked' of an order that is worked: it goes to no venue as it is
    limit_price     double precision NOT NULL,  -- 0 of one at the market
    reason          text NOT NULL,
    PRIMARY KEY (session_id, event_id)
);
CREATE INDEX children_by_order ON children (session_id, client_order_id);
CREATE INDEX children_by_parent ON children (session_id, parent, event_ns) WHERE parent <> '';
