-- Orders that are worked: reports about their children are told as theirs, with what the venue said of the child alone.
ALTER TABLE reports ADD COLUMN child text NOT NULL DEFAULT '';                      -- id under which the venue had it
ALTER TABLE reports ADD COLUMN child_status text NOT NULL DEFAULT '';
ALTER TABLE reports ADD COLUMN child_cumulative bigint NOT NULL DEFAULT 0;
CREATE INDEX reports_by_child ON reports (session_id, child) WHERE child <> '';
