"""The command line: `clarify-ops VERB`. Results go to files and standard output, progress and words to standard error."""

from clarify_ops.cli.app import main

__all__ = ["main"]
