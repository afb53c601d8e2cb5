"""Pages to look at, self-contained: HTML made of the history."""
