"""Tasks: a folder each, with the chapters it needs; `base` says what a task promises, `registry` which there are."""
