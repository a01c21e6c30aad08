"""Tests of the explainers against their definitions."""
