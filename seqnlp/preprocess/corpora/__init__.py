"""Corpora: from files of any format to examples, and encoded rows on the disk."""
