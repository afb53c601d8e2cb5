"""Live connections: what a venue is asked for, its frames as they come, and what is done when they stop coming."""
