"""Batching: how rows meet; one file a policy."""
