"""Airflow DAGs built from the operators."""
