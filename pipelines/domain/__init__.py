"""What trading is. Pure: no I/O, no Flink, no Avro, no clock."""
