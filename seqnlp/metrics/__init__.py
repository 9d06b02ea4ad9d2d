"""Metrics: every corpus score is a function of summed counts, so intervals come from resampling the counts."""
