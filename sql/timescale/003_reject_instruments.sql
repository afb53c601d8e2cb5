-- A frame may speak of many instruments: what was set aside of it is a row for each, and its table says of which.
ALTER TABLE rejects ADD COLUMN instrument text NOT NULL DEFAULT '';   -- its id; empty where none is known
ALTER TABLE rejects DROP CONSTRAINT rejects_pkey;
ALTER TABLE rejects ADD PRIMARY KEY (session_id, venue, feed_session, frame, instrument, reason);
