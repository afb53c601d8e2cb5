"""What is expected of the data on topics and in tables: suites made from the schemas and of what trading means."""
