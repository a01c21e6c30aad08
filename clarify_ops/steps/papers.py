"""Papers: what people read of a judgement, refused or not: the report, the forms of the card, the pipeline as it was understood."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clarify_ops.analysis.notes import metric_notes
from clarify_ops.card import Attached, cards
from clarify_ops.card.attached import EVIDENCE, PIPELINE, REPORT
from clarify_ops.config.pipeline import Pipeline
from clarify_ops.data.source import address
from clarify_ops.documents import digest_file, write_bytes, write_json, write_text
from clarify_ops.report.figures import plots
from clarify_ops.report.page import render_report
from clarify_ops.steps import train
from clarify_ops.steps.folder import METRICS_FILE
from clarify_ops.steps.judging import Judged
from clarify_ops.steps.table import BY_NAME

PLOTS = "plots"


def write_papers(folder: Path, judged: Judged, *, signed: bool) -> None:
    """Writes them beside the files of the judgement, which the cards name.

    Args:
        folder: Where verdict and evidence lie by now.
        judged: The judgement.
        signed: Whether the statement will be signed: it is made last.
    """
    write_json(folder / PIPELINE, _understood(judged.inputs.pipeline))
    write_text(folder / REPORT, render_report(judged.release, metric_notes()))
    for name, text in cards(judged.release, _attached(folder, judged, signed=signed)).items():
        write_text(folder / name, text)


def write_plots(folder: Path, judged: Judged) -> dict[str, bytes]:
    """Writes the report's plots as PNG; returns them by name."""
    pictures = plots(judged.release)
    (folder / PLOTS).mkdir()
    for name, content in pictures.items():
        write_bytes(folder / PLOTS / name, content)
    return pictures


def shown(value: Any, key: str = "") -> Any:
    """Settings for everybody's eyes: addresses without secrets."""
    if isinstance(value, dict):
        return {name: shown(one, name) for name, one in value.items()}
    if isinstance(value, list):
        return [shown(one) for one in value]
    return address(value) if isinstance(value, str) and key in {"uri", "baseline"} else value


def _understood(pipeline: Pipeline) -> Any:
    """The pipeline with every default written out, in a form that runs again."""
    document = pipeline.model_dump(mode="json", exclude_none=True)
    # Some of these keys are not for pipelines, which refuse them even where they say what holds anyway.
    own = pipeline.analysis.clarify_ops.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    document["analysis"].pop("clarify_ops")
    if own:
        document["analysis"]["clarify_ops"] = own
    return shown(document)


def _attached(folder: Path, judged: Judged, *, signed: bool) -> Attached:
    """What the cards name: the files beside them, those of the steps, the model's, and the packages."""
    # Evidence holds times; the cards name the digest of its claims.
    beside = {one.name: digest_file(one) for one in folder.iterdir() if one.is_file() and one.name != EVIDENCE}
    steps = {
        f"{BY_NAME[name].folder}/{METRICS_FILE}": result.files[METRICS_FILE] for name, result in judged.results.items()
    }
    trained = judged.results[train.NAME].files.items()
    return Attached(
        files={**beside, **steps},
        model_files={
            name.removeprefix(f"{train.MODEL}/"): one for name, one in trained if name.startswith(train.MODEL)
        },
        packages=judged.evidence.envelope["packages"],
        code=judged.evidence.claims["code"],
        signed=signed,
    )
