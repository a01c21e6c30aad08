"""The gate, the registration and the audit as Airflow operators: what may refuse."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from airflow.sdk import Asset, AssetAlias, BaseOperatorLink, Context

from clarify_ops.components.airflow.assets import registered_model
from clarify_ops.components.airflow.links import ModelCardLink, RegisteredVersionLink, ReportLink
from clarify_ops.components.airflow.step import COMMON, StepOperator, Text

_JUDGED = (
    *COMMON,
    "pipeline",
    "data",
    "pretraining_bias",
    "training",
    "posttraining_bias",
    "explanations",
    "policy",
    "champion",
)
_VERDICT, _EVIDENCE, _REGISTRATION, _AUDIT = "verdict.json", "evidence.json", "registration.json", "audit.json"


class _Judging(StepOperator):
    def _tell(self, context: Context) -> None:
        verdict = self._verdict()
        for key in ("outcome", "may_register", "reason"):
            if key in verdict:
                context["ti"].xcom_push(key=key, value=verdict[key])

    def _refusal(self) -> str:
        verdict = self._verdict()
        if not verdict:
            return super()._refusal()
        return f"The gate says {verdict['outcome']}: {verdict['reason']} See {self.output_folder}."

    def _verdict(self) -> dict[str, Any]:
        # A part that does not belong to the others is refused before there is a verdict.
        return self._left(_VERDICT) if Path(str(self.output_folder), _VERDICT).is_file() else {}


class GateOperator(_Judging):
    """Checks that the evidence belongs together, measures again, and judges by the policy; registers nothing.

    Pushes `outcome`, `may_register` and `reason`.

    Args:
        pipeline: The pipeline document (pipeline.yaml): its path.
        pretraining_bias: Output folder of the pretraining-bias step.
        training: Output folder of the train step.
        posttraining_bias: Output folder of the posttraining-bias step.
        explanations: Output folder of the explain step.
        output_folder: Folder to write, which the tasks after this one can read.
        data: URI of the dataset, in place of the pipeline's.
        policy: A policy, in place of the pipeline's: its path.
        champion: What the candidate is compared with, in place of the registry's champion: a model or predictions.
        registry_uri: The registry, in place of the pipeline's: an MLflow tracking URI, or S3.
        no_fail: Succeed whatever the verdict, for a DAG that branches on it.
        kwargs: As of StepOperator.
    """

    step = "gate"
    template_fields: Sequence[str] = (*_JUDGED, "registry_uri")
    operator_extra_links: Sequence[BaseOperatorLink] = (ReportLink(), ModelCardLink())

    def __init__(
        self,
        *,
        pipeline: Text,
        pretraining_bias: Text,
        training: Text,
        posttraining_bias: Text,
        explanations: Text,
        output_folder: Text,
        data: Text | None = None,
        policy: Text | None = None,
        champion: Text | None = None,
        registry_uri: Text | None = None,
        no_fail: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(output_folder=output_folder, **kwargs)
        self._take(
            pipeline=pipeline,
            data=data,
            pretraining_bias=pretraining_bias,
            training=training,
            posttraining_bias=posttraining_bias,
            explanations=explanations,
            policy=policy,
            champion=champion,
            registry_uri=registry_uri,
            no_fail=no_fail,
        )


class RegisterOperator(_Judging):
    """Judges again, writes verdict, evidence, report and model card, and registers a model that passes.

    A refused model leaves verdict, report and card in the output folder as well. Pushes `outcome`, `may_register`,
    `reason`, and where the model was registered, `model` and `version`. An Asset among its outlets gets an event then,
    which tells model, version, evidence and outcome; an AssetAlias gets one of the Asset `registered_model` makes.

    Args:
        pipeline: The pipeline document (pipeline.yaml): its path.
        pretraining_bias: Output folder of the pretraining-bias step.
        training: Output folder of the train step.
        posttraining_bias: Output folder of the posttraining-bias step.
        explanations: Output folder of the explain step.
        output_folder: Folder to write, which the tasks after this one can read.
        data: URI of the dataset, in place of the pipeline's.
        policy: A policy, in place of the pipeline's: its path.
        champion: What the candidate is compared with, in place of the registry's champion: a model or predictions.
        registry_uri: The registry, in place of the pipeline's: an MLflow tracking URI, or S3.
        verdict: A verdict computed before; it must equal the one computed here.
        evidence: Evidence made before; it must equal the one made here.
        kwargs: As of StepOperator.
    """

    step = "register"
    template_fields: Sequence[str] = (*_JUDGED, "registry_uri", "verdict", "evidence")
    operator_extra_links: Sequence[BaseOperatorLink] = (ReportLink(), ModelCardLink(), RegisteredVersionLink())

    def __init__(
        self,
        *,
        pipeline: Text,
        pretraining_bias: Text,
        training: Text,
        posttraining_bias: Text,
        explanations: Text,
        output_folder: Text,
        data: Text | None = None,
        policy: Text | None = None,
        champion: Text | None = None,
        registry_uri: Text | None = None,
        verdict: Text | None = None,
        evidence: Text | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(output_folder=output_folder, **kwargs)
        self._take(
            pipeline=pipeline,
            data=data,
            pretraining_bias=pretraining_bias,
            training=training,
            posttraining_bias=posttraining_bias,
            explanations=explanations,
            policy=policy,
            champion=champion,
            registry_uri=registry_uri,
            verdict=verdict,
            evidence=evidence,
        )

    def _answer(self, context: Context) -> None:
        super()._answer(context)
        registered = self._left(_REGISTRATION)
        for key in ("model", "version"):
            context["ti"].xcom_push(key=key, value=registered[key])
        told = {
            "model": registered["model"],
            "version": registered["version"],
            "evidence": self._left(_EVIDENCE)["digest"],
            "outcome": self._verdict()["outcome"],
        }
        events = context["outlet_events"]
        for outlet in self.outlets:
            if isinstance(outlet, Asset):
                events[outlet].extra = told
            elif isinstance(outlet, AssetAlias):
                events[outlet].add(registered_model(registered["model"], registered["registry"]), extra=told)


class AuditOperator(StepOperator):
    """Lists versions and aliases of a registry without valid evidence, and fails when there are any.

    Args:
        output_folder: Folder to write.
        pipeline: A pipeline document, whose registry is meant: its path.
        registry_uri: The registry, in place of the pipeline's; without a pipeline an MLflow tracking URI, or S3.
        model: The registered model; all models by default.
        demote: Take the aliases from versions without valid evidence; remove no version.
        kwargs: As of StepOperator.
    """

    step = "audit"
    template_fields: Sequence[str] = (*COMMON, "pipeline", "registry_uri", "model")
    operator_extra_links: Sequence[BaseOperatorLink] = ()

    def __init__(
        self,
        *,
        output_folder: Text,
        pipeline: Text | None = None,
        registry_uri: Text | None = None,
        model: Text | None = None,
        demote: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(output_folder=output_folder, **kwargs)
        self._take(pipeline=pipeline, registry_uri=registry_uri, model=model, demote=demote)

    def _refusal(self) -> str:
        found = self._left(_AUDIT)["findings"]
        first = found[0]
        how_many = "1 version is" if len(found) == 1 else f"{len(found)} versions are"
        return (
            f"{how_many} without valid evidence, the first is {first['model']} {first['version']}:"
            f" {first['problems'][0]}. See {self.output_folder}."
        )
