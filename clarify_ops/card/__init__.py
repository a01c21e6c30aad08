"""The model card: for people as Markdown, for the SageMaker Model Registry as JSON."""

from clarify_ops.card.markdown import render_markdown
from clarify_ops.card.sagemaker import sagemaker_card

__all__ = ["render_markdown", "sagemaker_card"]
