"""What the JSON protocols of WebSocket venues share: messages into columns, books kept in step, rows made of both."""
