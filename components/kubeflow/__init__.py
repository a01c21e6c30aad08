"""Kubeflow Pipelines components."""
