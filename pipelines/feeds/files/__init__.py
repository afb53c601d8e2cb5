"""Files that hold frames: captures of live feeds and backfills, by what is in them."""
