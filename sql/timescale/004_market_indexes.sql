-- What is rare among many and looked for by instrument. Partial indexes: a row that is not in them costs one comparison.
CREATE INDEX books_snapshots ON books (session_id, instrument, event_time DESC) WHERE flags & 64 <> 0;
CREATE INDEX ticks_status ON ticks (session_id, instrument, event_time DESC) WHERE kind = 'status';
