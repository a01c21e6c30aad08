"""Check: an analysis, and whether it has drifted from the baseline of the model that is deployed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clarify_ops.analysis.folder import ANALYSIS, METRICS
from clarify_ops.analysis.job import STAGES, Job
from clarify_ops.analysis.results import Analysis, read_measures
from clarify_ops.documents import digest_bytes, parse_document, read_document, write_bytes, write_json
from clarify_ops.errors import BadDocument, Refused
from clarify_ops.measures import Measure
from clarify_ops.models.artifact import model_folder
from clarify_ops.monitor.drift import BIAS_SECTIONS, EXPLANATIONS, Drift, drift
from clarify_ops.monitor.lifecycle import Lifecycle, lifecycle
from clarify_ops.steps.baseline import Baseline, Where
from clarify_ops.steps.progress import Progress, silent

NAME = "check"
VIOLATIONS = "constraint_violations.json"
USED = "baseline_used_for_drift_check"
CHECK = "check.json"
# In the folder of the record.
CALCULATED, HANDED_ON = "calculated", "used_for_drift_check"


@dataclass(frozen=True)
class Terms:
    """On what terms an analysis is checked.

    Attributes:
        where: Where the previous baseline is looked for.
        skip_check: Compare with nothing.
        register_new_baseline: Hand the new baseline on, not the previous one.
        strict: Judge by our rule instead of Clarify's, see `clarify_ops.monitor.strict`.
    """

    where: Where
    skip_check: bool = False
    register_new_baseline: bool = False
    strict: bool = False

    @property
    def life(self) -> Lifecycle:
        """The row of the baseline's lifecycle."""
        return lifecycle(skip_check=self.skip_check, register_new_baseline=self.register_new_baseline)


@dataclass(frozen=True)
class Check:
    """What came of a check.

    Attributes:
        life: The row of the baseline's lifecycle.
        drift: Of the comparison; None where none was asked for.
        baseline: The previous baseline; None where there is none.
        used: What later checks are to compare with.
        calculated: Bytes of the `analysis.json` of now.
    """

    life: Lifecycle
    drift: Drift | None
    baseline: Baseline | None
    used: bytes
    calculated: bytes

    @property
    def violated(self) -> bool:
        """Whether there is any violation."""
        return self.drift is not None and bool(self.drift.violations)

    def sentence(self) -> str:
        """What came of it, in one sentence."""
        if self.drift is None:
            return "Drift was not looked for."
        where = "" if self.baseline is None else f" {self.baseline.address}"
        if not self.violated:
            return f"None of {sum(self.drift.compared.values())} comparisons with the baseline{where} is a violation."
        named = [str(one.get("metric_name")) for one in self.drift.violations]
        return f"Drift from the baseline{where}: {len(named)} violations ({', '.join(sorted(set(named)))})."

    def to_json(self) -> dict[str, Any]:
        """The document of `check.json`, for whoever branches on it."""
        found = self.drift
        before = None if self.baseline is None else self.baseline.to_json()
        return {
            "version": "1",
            "compared": {} if found is None else dict(found.compared),
            "left_out": 0 if found is None else found.left_out,
            "violations": 0 if found is None else len(found.violations),
            "violated": self.violated,
            "skipped": found is None,
            "baseline": before,
            "hands_on": self.life.hands_on,
            "digests": {"calculated": digest_bytes(self.calculated), "used": digest_bytes(self.used)},
        }

    def write(self, output: Path, record: Path | None = None) -> None:
        """Writes what goes beside an analysis.

        Args:
            output: The folder of the analysis.
            record: Folder for the same, and both baselines: all that has to outlive a later analysis in the same place.
        """
        _put(output / USED, self.used)
        if record is not None:
            _put(record / CALCULATED, self.calculated)
            _put(record / HANDED_ON, self.used)
        for folder in (output,) if record is None else (output, record):
            if self.drift is not None:
                write_json(folder / VIOLATIONS, self.drift.to_json(), sort_keys=False)
            write_json(folder / CHECK, self.to_json())


def _put(folder: Path, content: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(folder / ANALYSIS, content)


def run(
    config: str | Path | Mapping[str, Any],
    data: str | None,
    output: str | Path,
    *,
    terms: Terms,
    model: str | None = None,
    trust_model: bool = False,
    record: str | Path | None = None,
    progress: Progress = silent,
) -> tuple[Check, Analysis]:
    """Analyses as `analyze` does, compares, and writes both.

    The previous baseline is found first: nobody waits for an analysis to be told that there is nothing to compare it with.

    Args:
        config: The analysis configuration, or the path of one.
        data: As for `analyze`.
        output: Folder to write: what `analyze` writes, baseline_used_for_drift_check/analysis.json, check.json, and
            constraint_violations.json where drift was looked for.
        terms: Where the baseline is, and what is done with it.
        model: As for `analyze`; or an archive (model.tar.gz) of an MLflow model, or a folder that holds one.
        trust_model: As for `analyze`.
        record: Folder for a copy of what is checked, see `Check.write`.
        progress: Told what is being done.

    Raises:
        BadInput: As `analyze`; or the baseline that is named is not there.
        Refused: There is no previous baseline, and there has to be one; or nothing of it can be compared.
        Outside: A registry or store failed.
    """
    from clarify_ops.analysis.analyze import analyze
    from clarify_ops.analysis.opening import handed_over

    job = Job.of(config, model=handed_over(model))
    before = _previous(_sections(job), terms, progress)
    folder = Path(output)
    for stale in (VIOLATIONS, CHECK):
        (folder / stale).unlink(missing_ok=True)
    shutil.rmtree(folder / USED, ignore_errors=True)
    with tempfile.TemporaryDirectory() as scratch:
        # As SageMaker brings what a training job left: packed, in a folder.
        asked = model if model is None or not Path(model).exists() else model_folder(model, Path(scratch))
        analysis = analyze(job.document, data, asked, folder, progress, trust_model=trust_model)
    found = _compared((folder / ANALYSIS).read_bytes(), analysis.measures, before, terms)
    found.write(folder, None if record is None else Path(record))
    return found, analysis


def compare_documents(current: Path, terms: Terms, progress: Progress = silent) -> Check:
    """Compares a finished analysis.

    Args:
        current: An analysis.json, or a folder with one; the strict rule needs the metrics.json beside it.
        terms: As for `run`.
        progress: As for `run`.

    Raises:
        BadInput: It is not there, or is none.
        Refused: As `run`.
        Outside: A registry or store failed.
    """
    file = current / ANALYSIS if current.is_dir() else current
    document = read_document(file, "analysis")
    known = isinstance(document, dict)
    sections = tuple(one for one in (*BIAS_SECTIONS, EXPLANATIONS) if known and one in document)
    if not sections:
        raise BadDocument(f"The analysis {file} has neither bias metrics nor explanations.", "Give an analysis.json.")
    measures = read_measures(file.with_name(METRICS)) if terms.strict else ()
    return _compared(file.read_bytes(), measures, _previous(sections, terms, progress), terms)


def _compared(content: bytes, measures: tuple[Measure, ...], before: Baseline | None, terms: Terms) -> Check:
    life, found = terms.life, None
    if life.compares and before is not None:
        now = parse_document(content.decode(), "The analysis", as_json=True)
        found = _drift(before, now, measures, strict=terms.strict)
    used = content if life.hands_on == "calculated" or before is None else before.content
    return Check(life, found, before, used, content)


def _drift(before: Baseline, now: Mapping[str, Any], measures: tuple[Measure, ...], *, strict: bool) -> Drift:
    from clarify_ops.monitor.strict import strict_drift

    found = strict_drift(before.document, now, measures) if strict else drift(before.document, now)
    for section, number in found.compared.items():
        # What was not compared has not passed.
        if not number:
            raise Refused(
                f"The baseline {before.address} and this analysis have no number of {section} in common: nothing was checked.",
                "Give the baseline of such an analysis, with the same facets, metrics and labels; or make one: --skip-check"
                " --register-new-baseline.",
            )
    return found


def _sections(job: Job) -> tuple[str, ...]:
    """The sections of `analysis.json` that a job asks for."""
    asked = dict(zip(BIAS_SECTIONS, map(job.asks_for, STAGES), strict=True)) | {EXPLANATIONS: job.explains}
    return tuple(section for section, wanted in asked.items() if wanted)


def _previous(sections: tuple[str, ...], terms: Terms, progress: Progress) -> Baseline | None:
    # What nobody reads is not fetched: a first run may name a group that is not there yet.
    if not terms.life.needs_previous:
        return None
    progress("fetching the baseline")
    found = terms.where.find(sections)
    if found is None:
        raise Refused(
            f"There is no previous baseline: {terms.where.absent}.",
            "A first run makes one: --skip-check --register-new-baseline.",
        )
    return found
