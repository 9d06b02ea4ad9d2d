"""forecast: the values that follow those of a series."""
