"""`python -m clarify_ops` is `clarify-ops`."""

from clarify_ops.cli import main

main()
