"""Replay: the numbers of a run made again from its pipeline, its data and, unless asked not to, a model trained anew.

A model that was trained elsewhere cannot be trained anew: the one that was kept is asked again.

Nothing of the run is believed but what it was told to do: its numbers are only what the new ones are held against.
"""

from __future__ import annotations

import datetime
import math
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from clarify_ops.card.attached import PIPELINE
from clarify_ops.config.pipeline import Elsewhere
from clarify_ops.documents import canonical, read_document
from clarify_ops.errors import BadDocument, BadModel, Refused
from clarify_ops.gate.evidence import Evidence, code
from clarify_ops.gate.statement import Tolerance, read_statement
from clarify_ops.registry.protocol import RegisteredVersion, Registry
from clarify_ops.steps import explain, posttraining_bias, pretraining_bias, train
from clarify_ops.steps.champion import FACTS, FOLDER, NOBODY
from clarify_ops.steps.folder import STEP_FILE
from clarify_ops.steps.gate import EVIDENCE
from clarify_ops.steps.inputs import Inputs, check
from clarify_ops.steps.judging import Parts, judge_parts
from clarify_ops.steps.progress import Progress, silent
from clarify_ops.steps.run import parts_of
from clarify_ops.steps.stating import STATEMENT
from clarify_ops.steps.table import BY_NAME
from clarify_ops.training.saving import model_digest

# What a model that was trained again may move, beside the stage of its explanations.
_OF_THE_MODEL = frozenset({"post_training", "quality", "explanations", "champion"})
Source = Literal["fitted", "asked", "kept"]
_NAMES = ("stage", "metric", "facet", "facet_value", "reference")


@dataclass(frozen=True)
class Difference:
    """A number that came out otherwise.

    Attributes:
        what: "post_training DPPL for g = 1: value", "verdict: rule ranks for all rows".
        claimed, found: Both, as text.
        tolerance: How far they may lie apart, in words.
    """

    what: str
    claimed: str
    found: str
    tolerance: str


@dataclass(frozen=True)
class Replay:
    """What replaying came to.

    Attributes:
        compared: How many numbers were compared.
        differences: Those that came out otherwise.
        notes: Sentences: what was trained again, what could not be replayed.
    """

    compared: int
    differences: tuple[Difference, ...]
    notes: tuple[str, ...]

    @property
    def exit_status(self) -> int:
        """0, or 3 where a number came out otherwise."""
        return 3 if self.differences else 0


def replay(
    folder: str | Path,
    *,
    data: str | None = None,
    keep_model: bool = False,
    champion: str | None = None,
    trust_model: bool = False,
    progress: Progress = silent,
) -> Replay:
    """Makes the numbers of a run again.

    Args:
        folder: Of a run, of its release, or of the documents that a registry gave back.
        data: URI of the dataset, in place of the pipeline's.
        keep_model: Take model and predictions from the run's folder `training`, in place of training again.
        champion: What the candidate was compared with, in place of the answers that its release kept.
        trust_model: Whether a kept model may be opened though reading it runs what is in it: the run's own pipeline may say
            so, but whoever made the run wrote it.
        progress: Told what is being done.

    Raises:
        BadInput: The folder has no pipeline or no evidence, or the pipeline cannot be run; nothing says what the champion
            answered; its model may not be opened.
        Refused: Data, configuration or policy are not those that the evidence is about: other numbers are no wonder.
    """
    root = Path(folder)
    release = next((one for one in (root / "release", root / "documents", root) if (one / PIPELINE).is_file()), None)
    if release is None:
        raise BadDocument(f"The folder {root} has no {PIPELINE}.", "Give the folder of a run, or of its release.")
    evidence, tolerance = _claimed(release)
    inputs = check(Inputs.read(release / PIPELINE, data=data))
    _require_same_task(inputs, evidence)
    other = _kept_champion(inputs, release, evidence, champion)
    given = _given_model(inputs, root, release, evidence, trusted=trust_model)
    kept = _kept_training(root, release) if keep_model else None
    with tempfile.TemporaryDirectory() as place:
        parts = _made_again(release / PIPELINE, Path(place), data=data, given=given, kept=kept, progress=progress)
        again = judge_parts(
            release / PIPELINE,
            parts,
            data=data,
            policy=None,
            today=_day(evidence),
            champion=other,
            progress=progress,
        ).evidence
    how: Source = "kept" if kept is not None else "fitted" if given is None else "asked"
    return compared(evidence, again, tolerance, how)


def replay_version(
    registry: Registry,
    version: RegisteredVersion,
    *,
    data: str | None = None,
    champion: str | None = None,
    trust_model: bool = False,
    progress: Progress = silent,
) -> Replay:
    """As `replay`, for what was registered as a version; it is trained or asked again, for no registry has the predictions.

    Raises:
        Outside: The registry failed, or does not have its documents.
    """
    with tempfile.TemporaryDirectory() as place:
        registry.fetch(version, Path(place))
        return replay(place, data=data, champion=champion, trust_model=trust_model, progress=progress)


def _claimed(release: Path) -> tuple[Evidence, Tolerance]:
    """What is to be compared, whether or not anybody changed it: that is what is to be found."""
    file = release / STATEMENT
    tolerance = read_statement(file.read_bytes(), f"The statement {file}").tolerance if file.is_file() else Tolerance()
    document = read_document(release / EVIDENCE, "evidence")
    if not isinstance(document, dict) or not isinstance(document.get("claims"), dict):
        raise BadDocument(f"The file {release / EVIDENCE} is not evidence: it lacks claims.")
    if not isinstance(document["claims"].get("measures"), list):
        raise BadDocument(f"The file {release / EVIDENCE} claims no measures.")
    return Evidence(document["claims"], document.get("envelope") or {}), tolerance


def _require_same_task(inputs: Inputs, evidence: Evidence) -> None:
    found = {
        "data": (inputs.dataset.digest, "the dataset", "Give the data it was made from: --data URI."),
        "configuration": (
            inputs.pipeline.configuration_digest,
            "the configuration",
            "pipeline.json was changed, or addresses in it were kept without their secrets.",
        ),
        "policy": (inputs.pipeline.policy.digest, "the policy", "pipeline.json was changed."),
    }
    for name, (digest, what, hint) in found.items():
        claimed = evidence.claims.get(name)
        if claimed != digest:
            raise Refused(
                f"The evidence is about another version of {what}: it names {str(claimed)[:19]}, and this is {digest[:19]}.",
                hint,
            )


def _kept_training(root: Path, release: Path) -> Path:
    for folder in (root / "training", release.absolute().parent / "training"):
        if (folder / STEP_FILE).is_file():
            return folder
    raise BadDocument(
        f"The folder {root} has no output of the train step to keep.", "Leave out --keep-model to train again."
    )


def _given_model(inputs: Inputs, root: Path, release: Path, evidence: Evidence, *, trusted: bool) -> Path | None:
    """The files of a model that was trained elsewhere; None for one that can be trained again."""
    section = inputs.pipeline.train
    if not isinstance(section, Elsewhere):
        return None
    if section.trust and not trusted:
        raise BadModel(
            f"The pipeline of {release} says to trust its model, which only whoever made the run has said:"
            " opening it may run whatever is in it.",
            "If you trust them, say so: --trust-model, or CLARIFY_OPS_TRUST_MODEL=1.",
        )
    training = BY_NAME[train.NAME].folder
    places = (root / training, release.absolute().parent / training, root)
    folder = next((one / train.MODEL for one in places if (one / train.MODEL).is_dir()), None)
    if folder is None:
        raise BadDocument(
            f"The model was trained elsewhere ({section.elsewhere}) and cannot be trained again, and {root} does not have it.",
            "Give the folder of the whole run, or --model and --version of a registry.",
        )
    found = model_digest(folder)
    if evidence.claims.get("model") != found:
        raise Refused(
            f"The evidence is about another model than {folder}: it names {str(evidence.claims.get('model'))[:19]}, and this"
            f" is {found[:19]}."
        )
    return folder


def _kept_champion(inputs: Inputs, release: Path, evidence: Evidence, champion: str | None) -> str | None:
    """Where the answers are that the candidate was compared with; who is champion now says nothing of that."""
    if champion is not None or all(rule.stage != "champion" for rule in inputs.pipeline.policy.rules):
        return champion
    if (release / FOLDER / FACTS).is_file():
        return str(release / FOLDER)
    if "champion" in evidence.claims:
        raise BadDocument(
            f"The answers of the champion were not kept in {release}.",
            "Replay the folder of the run, or say with --champion what the candidate was compared with.",
        )
    return NOBODY


def _made_again(
    pipeline: Path, place: Path, *, data: str | None, given: Path | None, kept: Path | None, progress: Progress
) -> Parts:
    """The steps before the gate, run now."""
    parts = parts_of(place)
    if kept is None:
        train.run(pipeline, parts.training, data=data, model=given, progress=progress)
    else:
        parts = replace(parts, training=kept)
    pretraining_bias.run(pipeline, parts.pretraining_bias, data=data, progress=progress)
    posttraining_bias.run(pipeline, parts.posttraining_bias, training=parts.training, data=data, progress=progress)
    explain.run(pipeline, parts.explanations, training=parts.training, data=data, progress=progress)
    return parts


def _day(evidence: Evidence) -> datetime.date:
    """Waivers count as on the day of the judgement, which has to be repeated as it was."""
    day = str(evidence.envelope.get("judged_on"))
    try:
        return datetime.date.fromisoformat(day)
    except ValueError as error:
        raise BadDocument(f"The evidence was judged on {day!r}, which is no date.") from error


def compared(claimed: Evidence, again: Evidence, tolerance: Tolerance, how: Source) -> Replay:
    """Holds the numbers of one evidence against those of another, by name.

    Args:
        claimed: What is in question.
        again: Made of the same pipeline and data.
        tolerance: How far they may lie apart.
        how: Whether the model was fitted again, so that what is said of it may differ by more; or asked again; or whether its
            predictions were kept.
    """
    before, after = _by_name(claimed.claims["measures"]), _by_name(again.claims["measures"])
    # Equal predictions leave nothing that a second training could have moved.
    moved = how == "fitted" and claimed.claims.get("predictions") != again.claims.get("predictions")
    compared, differences = 0, []
    for name in before | after:
        loose = moved and name[0] in _OF_THE_MODEL
        limits = Tolerance(tolerance.counts, tolerance.refitted if loose else tolerance.measures, tolerance.refitted)
        one, other = _numbers(before.get(name)), _numbers(after.get(name))
        for part in one | other:
            compared += 1
            found = _difference(one.get(part), other.get(part), part, limits)
            if found is not None:
                differences.append(Difference(f"{_words(name)}: {part}", *found))
    judged = list(_judgement_differences(claimed, again))
    return Replay(compared + len(_outcomes(claimed)), (*differences, *judged), tuple(_notes(claimed, again, how)))


def _by_name(measures: Any) -> dict[tuple[str, ...], Mapping[str, Any]]:
    try:
        return {tuple(str(one.get(key)) for key in _NAMES): one for one in measures}
    except AttributeError as error:
        raise BadDocument("The evidence claims measures that are none.") from error


def _words(name: tuple[str, ...]) -> str:
    stage, metric, facet, value, reference = name
    if facet == "None":
        return f"{stage} {metric} for all rows"
    against = "" if reference == "None" else f" against {reference}"
    return f"{stage} {metric} for {facet} = {value}{against}"


def _numbers(measure: Mapping[str, Any] | None) -> dict[str, Any]:
    """Everything about a measure that is a number, or stands for one, flat."""
    if measure is None:
        return {}
    interval = measure.get("interval") or {}
    return {
        "value": measure.get("value"),
        "reason": measure.get("reason", ""),
        **{f"interval {key}": interval[key] for key in sorted(interval)},
        **{f"rows of {key}": rows for key, rows in sorted((measure.get("groups") or {}).items())},
        **{f"denominator {key}": rows for key, rows in sorted((measure.get("denominators") or {}).items())},
    }


def _difference(claimed: Any, found: Any, part: str, limits: Tolerance) -> tuple[str, str, str] | None:
    """Both numbers and the tolerance in words, where they lie too far apart."""
    if isinstance(claimed, int | float) and isinstance(found, int | float) and not isinstance(claimed, bool):
        counts = part.startswith(("rows of ", "denominator "))
        limit = limits.counts if counts else limits.measures
        if math.isclose(claimed, found, rel_tol=0.0 if counts else limit, abs_tol=limit):
            return None
        return repr(claimed), repr(found), f"{limit:g}"
    if canonical(claimed) == canonical(found):
        return None
    return str(claimed), str(found), "equal"


def _outcomes(evidence: Evidence) -> dict[str, str]:
    verdict = evidence.claims.get("verdict")
    found = {"verdict": str(verdict.get("outcome"))} if isinstance(verdict, dict) else {}
    for one in verdict.get("judgements", ()) if isinstance(verdict, dict) else ():
        about = "all rows" if one["facet"] is None else f"{one['facet']} = {one['facet_value']}"
        found[f"verdict: rule {one['rule']}, {one['metric']} for {about}"] = (
            f"{one['outcome']}, waived" if one["waived"] else one["outcome"]
        )
    return found


def _judgement_differences(claimed: Evidence, again: Evidence) -> Iterator[Difference]:
    before, after = _outcomes(claimed), _outcomes(again)
    for what in before | after:
        if before.get(what) != after.get(what):
            yield Difference(what, str(before.get(what)), str(after.get(what)), "equal")


def _notes(claimed: Evidence, again: Evidence, how: Source) -> Iterator[str]:
    if how == "asked":
        yield "The model was trained elsewhere and cannot be trained again here: the one that was kept was asked again."
    elif how == "kept":
        yield "Model and predictions were taken as the run left them; what was measured of them was measured again."
    elif claimed.claims.get("model") == again.claims.get("model"):
        yield "The model was trained again and has the same files."
    else:
        yield "The model was trained again and has other files; its numbers decide."
    if claimed.claims.get("code") != code():
        yield "The run was made by another version of clarify_ops."
