"""`analyze`: what a SageMaker Clarify processing job does, here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clarify_ops.analysis.asking import AskedModel, Model
from clarify_ops.analysis.counting import Counted, Data, count_data
from clarify_ops.analysis.explaining import Subject, attribute, background_rows, dependence, explanation_facts
from clarify_ops.analysis.folder import ANALYSIS, CONFIGURATION, METRICS, SHAP, analysis_output
from clarify_ops.analysis.job import STAGES, Job
from clarify_ops.analysis.results import Analysis
from clarify_ops.data.kinds import infer_kind
from clarify_ops.documents import write_bytes, write_json, write_text

if TYPE_CHECKING:
    from clarify_ops.explain.partial_dependence import FeatureKind

Progress = Callable[[str], None]


def _silent(_: str) -> None:
    """Tells nobody."""


def analyze(
    config: str | Path | Mapping[str, Any],
    data: Data = None,
    model: Model | None = None,
    output: str | Path | None = None,
    progress: Progress = _silent,
) -> Analysis:
    """Measures bias and explains a model, as an analysis configuration says.

    Args:
        config: SageMaker Clarify's configuration (schema 1.0), as a document or the path of one.
        data: Path, folder, glob or URI of the dataset, or a DataFrame; by default the configuration's `dataset_uri`.
        model: An MLflow model, or a function from (rows, features) to scores or labels; for explanations, and for bias where
            the data hold no predictions.
        output: Folder to write: analysis.json, metrics.json, report.html, report.ipynb, report.pdf, explanations_shap/ and
            a copy of the configuration. Without it nothing is written.
        progress: Told what is being done.

    Raises:
        BadInput: One sentence about what is wrong; nothing final is written then.
        NotSupported: A key is valid in Clarify and not followed here.
        BadModel: The model cannot be read, or answers what cannot be used.
    """
    job = Job.of(config, model=model is not None)
    if output is None:
        return _analysed(job, data, model, progress)
    with analysis_output(Path(output), job.report_name) as folder:
        analysis = _analysed(job, data, model, progress)
        progress("writing the report")
        _write(folder, job, analysis)
    return replace(analysis, folder=Path(output))
