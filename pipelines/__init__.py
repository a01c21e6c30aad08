"""Whole pipelines built from the components."""
