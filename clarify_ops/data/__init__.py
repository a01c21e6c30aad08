"""Datasets: reading them, telling what their columns are, and counting them once."""
