"""What an analysis configuration asks for, checked as far as it can be without data."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clarify_ops.analysis.explaining import check_settings
from clarify_ops.analysis.supported import HandedOver, refuse_unsupported_keys
from clarify_ops.bias.report import requested_metrics
from clarify_ops.bias.table import BiasStage
from clarify_ops.config.analysis import AnalysisConfig
from clarify_ops.documents import read_document
from clarify_ops.errors import BadDocument

STAGES: tuple[BiasStage, ...] = ("pre_training", "post_training")
_WHAT = "analysis configuration"


@dataclass(frozen=True)
class Job:
    """A configuration that can be followed.

    Attributes:
        document: As it was given.
        config: As it was understood.
        notes: Sentences for the report.
    """

    document: Mapping[str, Any]
    config: AnalysisConfig
    notes: tuple[str, ...]

    @classmethod
    def of(cls, config: str | Path | Mapping[str, Any], *, model: HandedOver) -> Job:
        """Reads and checks a configuration.

        Args:
            config: The document, or the path of a JSON or YAML file.
            model: What is handed over.

        Raises:
            BadDocument: It is not valid, or what it asks for needs something that it does not name.
            NotSupported: It is valid, and has a key that is not followed.
        """
        if isinstance(config, Mapping):
            document, what = copy.deepcopy(dict(config)), f"The {_WHAT}"
        else:
            document, what = read_document(config, _WHAT), f"The {_WHAT} {config}"
        parsed = AnalysisConfig.parse(document, what)
        notes = refuse_unsupported_keys(parsed, model=model)
        job = cls(document, parsed, notes)
        job._check(asks=model != "nothing" or job.names_model)
        return job

    @property
    def names_model(self) -> bool:
        """Whether the configuration says where a model is to be found."""
        predictor = self.config.predictor
        return predictor is not None and (predictor.endpoint_name is not None or predictor.model_name is not None)

    def asks_for(self, stage: BiasStage) -> bool:
        """Whether bias metrics of a stage are asked for."""
        return getattr(self.config.methods, f"{stage}_bias") is not None

    @property
    def asks_for_bias(self) -> bool:
        """Whether bias metrics of any stage are asked for."""
        return any(self.asks_for(stage) for stage in STAGES)

    @property
    def explains(self) -> bool:
        """Whether the model is to be explained."""
        return self.config.methods.shap is not None or self.config.methods.pdp is not None

    @property
    def wants_flips(self) -> bool:
        """Whether the flip test is asked for, which needs the rows and not only their counts."""
        return any(metric.form is None for metric in requested_metrics(self.config, "post_training"))

    @property
    def report_name(self) -> str:
        """Of the report's files, without suffix."""
        report = self.config.methods.report
        return "report" if report is None else report.name

    @property
    def report_title(self) -> str:
        """Of the report."""
        report = self.config.methods.report
        return "SageMaker Analysis Report" if report is None or report.title is None else report.title

    def _check(self, *, asks: bool) -> None:
        config, methods = self.config, self.config.methods
        if config.version not in {None, "1.0"}:
            raise BadDocument(f"The {_WHAT} has the version {config.version!r}, and 1.0 is the only one.")
        stages = [stage for stage in STAGES if self.asks_for(stage)]
        if not stages and not self.explains:
            raise BadDocument(
                f"The {_WHAT} asks for nothing: methods has no analysis.",
                "Set methods.pre_training_bias, methods.post_training_bias, methods.shap or methods.pdp.",
            )
        for stage in stages:
            requested_metrics(config, stage)
            self._require_for_bias(stage)
        if "post_training" in stages and not asks and not self._has_predictions:
            raise BadDocument(
                "methods.post_training_bias needs predictions.",
                "Set predicted_label or predicted_label_dataset_uri, name a model in predictor, or give one.",
            )
        if self.explains and not asks:
            wanted = "shap" if methods.shap is not None else "pdp"
            raise BadDocument(
                f"methods.{wanted} needs a model to ask.",
                "Give it (--model, or model= in Python), or name it: predictor.endpoint_name or predictor.model_name.",
            )
        if methods.pdp is not None and methods.shap is None and methods.pdp.features is None:
            raise BadDocument(
                "methods.pdp names no features, and without methods.shap none can be chosen.",
                "Set methods.pdp.features.",
            )
        check_settings(methods)
        if Path(self.report_name).name != self.report_name or self.report_name in {"", ".", ".."}:
            raise BadDocument(f"methods.report.name is {self.report_name!r}, which is no file name.")

    @property
    def _has_predictions(self) -> bool:
        return self.config.predicted_label is not None or self.config.predicted_label_dataset_uri is not None

    def _require_for_bias(self, stage: BiasStage) -> None:
        config = self.config
        needed = {
            "label": config.label,
            "label_values_or_threshold": config.label_values_or_threshold,
            "facet": config.facet or None,
        }
        for key, value in needed.items():
            if value is None:
                raise BadDocument(f"methods.{stage}_bias needs the key {key}.")
        if not config.label_values_or_threshold:
            raise BadDocument(
                f"Positive label values or thresholds are empty for Label column {config.label}",
                "Set label_values_or_threshold, for example [1].",
            )
