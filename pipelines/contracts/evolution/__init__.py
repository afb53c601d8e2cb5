"""How the schemas may change: what was released, what differs from it, and whether old and new read each other."""
