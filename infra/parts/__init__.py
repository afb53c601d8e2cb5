"""The parts of the local stack, a module each: what runs, what it needs first, how it shows that it is healthy."""
