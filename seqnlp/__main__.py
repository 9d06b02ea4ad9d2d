"""`python -m seqnlp`."""

from seqnlp.cli import main

main()
