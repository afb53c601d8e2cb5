"""Everything that computes: from frames to ticks, from ticks to spreads, from signals to orders, fills and history."""
