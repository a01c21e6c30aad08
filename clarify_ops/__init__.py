"""clarify_ops: SageMaker Clarify's analyses, a release gate with statistics in it, and components for every orchestrator.

The command line is `clarify-ops --help`; the steps behind it are functions in `clarify_ops.steps`.
"""
