"""SageMaker Pipelines steps."""
