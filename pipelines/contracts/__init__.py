"""What crosses a wire: topics, keys, Avro schemas, blocks to columns and back, the strategy file."""
