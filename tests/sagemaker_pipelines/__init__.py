"""SageMaker Pipelines without SageMaker: what is wrong with a definition, and what one does, folder for prefix."""
