"""LEAN's lines of trades, quotes and bars: `decoder.Lean`."""
