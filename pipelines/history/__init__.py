"""A session's log, kept in TimescaleDB: loader and queries."""
