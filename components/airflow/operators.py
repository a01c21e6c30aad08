"""The steps as Airflow operators.

Each starts `clarify-ops` in a process of its own: the worker imports none of the libraries that train and explain, an
environment other than Airflow's can be named, and what a step leaves in memory goes with it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from airflow.sdk import BaseOperator, Context, XComArg
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from clarify_ops.components.commands import arguments, ports, said
from clarify_ops.documents import read_document

_BAD_INPUT, _REFUSED = 2, (3, 4)
_LAST_LINES = 20
_SECONDS_TO_END = 10.0
_PLACES = ("output_folder", "python", "environment")
_COMMON = (*_PLACES, "pipeline", "data", "policy")
Text = str | XComArg
"""Text, or what another task returns."""
_PARTS = ("pretraining_bias", "training", "posttraining_bias", "explanations")


class StepOperator(BaseOperator):
    """A step of the step table; its subclasses say which. Every argument is a template.

    The task's result is the output folder, so that one task takes another's `.output`.

    Exit statuses become what a scheduler can act upon. Wrong input (2) and a refused gate (3, 4) raise
    AirflowFailException: the task fails at once, for trying again gives the same. A registry or a store that failed (5), and
    a crash, raise AirflowException: the task's retries are used.

    Args:
        output_folder: Folder to write, which the tasks after this one can read.
        python: Interpreter of the environment that clarify_ops is installed in.
        environment: Variables for the step, besides the worker's own.
        kwargs: As of every operator.
    """

    step: ClassVar[str]
    template_fields: Sequence[str] = _PLACES
    template_fields_renderers: ClassVar[dict[str, str]] = {"environment": "json"}
    ui_color = "#e3eef6"

    def __init__(
        self,
        *,
        output_folder: Text,
        python: str = sys.executable,
        environment: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.output_folder = output_folder
        self.python = python
        self.environment = environment
        self._process: subprocess.Popen[str] | None = None

    def execute(self, context: Context) -> str:
        """Runs the step; returns its output folder."""
        folder = str(self.output_folder)
        values = {port.name: getattr(self, port.name) for port in ports(self.step)}
        status, lines = self._run([self.python, "-m", "clarify_ops", *arguments(self.step, values, folder)])
        if status == 0:
            self._answer(context)
            return folder
        words = said(lines) or (self._refusal() if status in _REFUSED else "\n".join(lines))
        if status == _BAD_INPUT or status in _REFUSED:
            raise AirflowFailException(words)
        raise AirflowException(f"clarify-ops {self.step} ended with exit status {status}: {words}")

    def on_kill(self) -> None:
        """Ends the step's process."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                self._process.kill()

    def _run(self, command: Sequence[str]) -> tuple[int, list[str]]:
        """Exit status and last lines; all of them go to the task's log while they come."""
        lines: list[str] = []
        with subprocess.Popen(
            command,
            env={**os.environ, **(self.environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as self._process:
            for line in self._process.stdout or ():
                self.log.info("%s", line.rstrip())
                lines = [*lines, line.rstrip()][-_LAST_LINES:]
        return self._process.returncode, lines

    def _answer(self, context: Context) -> None:
        """What a step tells besides its folder; most tell nothing."""

    def _refusal(self) -> str:
        return f"The step {self.step} was refused."


class PipelineOperator(StepOperator):
    """A step of a pipeline.

    Args:
        pipeline: The pipeline document (pipeline.yaml): its path.
        data: URI of the dataset, in place of the pipeline's.
        policy: A policy, in place of the pipeline's: its path.
        kwargs: As of StepOperator.
    """

    template_fields: Sequence[str] = _COMMON

    def __init__(self, *, pipeline: Text, data: Text | None = None, policy: Text | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pipeline = pipeline
        self.data = data
        self.policy = policy


class PretrainingBiasOperator(PipelineOperator):
    """Measures bias in the labels, counts every group, and looks for columns that give label or facet away."""

    step = "pretraining-bias"


class TrainOperator(PipelineOperator):
    """Fits the estimator, predicts rows that were not seen, and saves an MLflow model as data, not as a pickle."""

    step = "train"


class _OfTraining(PipelineOperator):
    template_fields: Sequence[str] = (*_COMMON, "training")

    def __init__(self, *, training: Text, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.training = training


class PosttrainingBiasOperator(_OfTraining):
    """Measures bias of the predictions, and their quality for everybody and for each facet value.

    Args:
        training: Output folder of the train step.
        kwargs: As of PipelineOperator.
    """

    step = "posttraining-bias"


class ExplainOperator(_OfTraining):
    """Attributes every score to features with Kernel SHAP, and shows what each feature does on average.

    Args:
        training: Output folder of the train step.
        kwargs: As of PipelineOperator.
    """

    step = "explain"


class _Judging(PipelineOperator):
    template_fields: Sequence[str] = (*_COMMON, *_PARTS)

    def __init__(
        self, *, pretraining_bias: Text, training: Text, posttraining_bias: Text, explanations: Text, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.pretraining_bias = pretraining_bias
        self.training = training
        self.posttraining_bias = posttraining_bias
        self.explanations = explanations

    def _answer(self, context: Context) -> None:
        verdict = self._verdict()
        for key in ("outcome", "may_register", "reason"):
            context["ti"].xcom_push(key=key, value=verdict[key])

    def _refusal(self) -> str:
        verdict = self._verdict()
        return f"The gate says {verdict['outcome']}: {verdict['reason']} See {self.output_folder}."

    def _verdict(self) -> dict[str, Any]:
        verdict: dict[str, Any] = read_document(Path(str(self.output_folder), "verdict.json"), "verdict")
        return verdict


class GateOperator(_Judging):
    """Checks that the evidence belongs together, measures again, and judges by the policy; registers nothing.

    Pushes `outcome`, `may_register` and `reason`.

    Args:
        pretraining_bias: Output folder of the pretraining-bias step.
        training: Output folder of the train step.
        posttraining_bias: Output folder of the posttraining-bias step.
        explanations: Output folder of the explain step.
        champion: What the candidate is compared with, in place of the registry's champion: a model or predictions.
        no_fail: Succeed whatever the verdict, for a DAG that branches on it.
        kwargs: As of PipelineOperator.
    """

    step = "gate"
    template_fields: Sequence[str] = (*_COMMON, *_PARTS, "champion")

    def __init__(self, *, champion: Text | None = None, no_fail: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.champion = champion
        self.no_fail = no_fail


class RegisterOperator(_Judging):
    """Judges again, writes verdict, evidence, report and model card, and registers a model that passes.

    A refused model leaves verdict, report and card in the output folder as well. Pushes `outcome`, `may_register`,
    `reason`, and where the model was registered, `version`.

    Args:
        pretraining_bias: Output folder of the pretraining-bias step.
        training: Output folder of the train step.
        posttraining_bias: Output folder of the posttraining-bias step.
        explanations: Output folder of the explain step.
        champion: What the candidate is compared with, in place of the registry's champion: a model or predictions.
        registry_uri: The registry, in place of the pipeline's: an MLflow tracking URI, or S3.
        verdict: A verdict computed before; it must equal the one computed here.
        evidence: Evidence made before; it must equal the one made here.
        kwargs: As of PipelineOperator.
    """

    step = "register"
    template_fields: Sequence[str] = (*_COMMON, *_PARTS, "champion", "registry_uri", "verdict", "evidence")

    def __init__(
        self,
        *,
        champion: Text | None = None,
        registry_uri: Text | None = None,
        verdict: Text | None = None,
        evidence: Text | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.champion = champion
        self.registry_uri = registry_uri
        self.verdict = verdict
        self.evidence = evidence

    def _answer(self, context: Context) -> None:
        super()._answer(context)
        registration = read_document(Path(str(self.output_folder), "registration.json"), "registration")
        context["ti"].xcom_push(key="version", value=registration["version"])


class AuditOperator(StepOperator):
    """Lists versions and aliases of a registry without valid evidence, and fails when there are any.

    Args:
        pipeline: A pipeline document, whose registry is meant: its path.
        registry_uri: The registry, in place of the pipeline's; without a pipeline an MLflow tracking URI, or S3.
        model: The registered model; all models by default.
        demote: Take the aliases from versions without valid evidence; remove no version.
        kwargs: As of StepOperator.
    """

    step = "audit"
    template_fields: Sequence[str] = (*_PLACES, "pipeline", "registry_uri", "model")

    def __init__(
        self,
        *,
        pipeline: Text | None = None,
        registry_uri: Text | None = None,
        model: Text | None = None,
        demote: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.pipeline = pipeline
        self.registry_uri = registry_uri
        self.model = model
        self.demote = demote

    def _refusal(self) -> str:
        found = read_document(Path(str(self.output_folder), "audit.json"), "audit")["findings"]
        first = found[0]
        how_many = "1 version is" if len(found) == 1 else f"{len(found)} versions are"
        return (
            f"{how_many} without valid evidence, the first is {first['model']} {first['version']}:"
            f" {first['problems'][0]}. See {self.output_folder}."
        )
