"""Where frames come from, and what they say: sources, feed handlers, and one module a protocol."""
