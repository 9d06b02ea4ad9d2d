"""Checks: what may be wrong with a corpus before a model learns from it; a chapter for each kind of trouble."""
