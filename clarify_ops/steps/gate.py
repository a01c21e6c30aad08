"""Gate: the judging part of registration alone, so that an orchestrator can branch on the verdict."""

from __future__ import annotations

from pathlib import Path

from clarify_ops.documents import write_json
from clarify_ops.gate.signing import signing_key
from clarify_ops.gate.verdict import Verdict
from clarify_ops.steps.champion import keep
from clarify_ops.steps.folder import StepResult, Workspace, read_step, step_output
from clarify_ops.steps.judging import Judged, Parts, judge_parts
from clarify_ops.steps.papers import write_papers
from clarify_ops.steps.progress import Progress, silent
from clarify_ops.steps.stating import write_statement

NAME = "gate"
VERDICT = "verdict.json"
EVIDENCE = "evidence.json"


def run(
    pipeline: str | Path,
    output: str | Path,
    *,
    parts: Parts,
    data: str | None = None,
    policy: str | Path | None = None,
    key: str | Path | None = None,
    champion: str | None = None,
    registry_uri: str | None = None,
    progress: Progress = silent,
) -> tuple[StepResult, Verdict]:
    """Judges, and writes the verdict, the evidence, the report and the card.

    Args:
        pipeline: Path of the pipeline document.
        output: Folder to write: verdict.json, evidence.json, metrics.json, analysis.json, report.html, the forms of the
            card (`card.CARDS`), pipeline.json, statement.json, statement.dsse.json (only when signed), champion/ (only when
            compared), step.json.
        parts: Folders of the steps before.
        data: URI of the dataset, in place of the pipeline's.
        policy: Path of a policy, in place of the pipeline's.
        key: Path of a private key to sign with; absent: the one that CLARIFY_OPS_SIGNING_KEY names, or none.
        champion: What rules of stage `champion` compare with, in place of the registry's champion.
        registry_uri: Registry in which the champion is looked for, in place of the pipeline's.
        progress: Told what is being done.
    """
    signer = signing_key(key)
    judged = judge_parts(
        pipeline, parts, data=data, policy=policy, champion=champion, registry_uri=registry_uri, progress=progress
    )
    with step_output(NAME, Path(output), judged.inputs.places()) as work:
        write_judgement(work, judged)
        progress("writing report and card")
        # Also where it refuses: an orchestrator that branches on the verdict has something to show on either branch.
        write_papers(work.folder, judged, signed=signer is not None)
        write_statement(work.folder, judged, signer)
    return read_step(output, NAME), judged.release.verdict


def write_judgement(work: Workspace, judged: Judged) -> None:
    """The files that a judgement leaves: verdict, evidence, all measures, and Clarify's document."""
    work.claims.update(
        judged.inputs.claims(), policy=judged.inputs.pipeline.policy.digest, evidence=judged.evidence.digest
    )
    facts = {} if judged.comparison.facts is None else {"champion": judged.comparison.facts}
    work.metrics(judged.release.measures, **facts)
    keep(work, judged.comparison)
    write_json(work.folder / VERDICT, judged.release.verdict.to_json())
    write_json(work.folder / EVIDENCE, judged.evidence.to_json())
    write_json(work.folder / "analysis.json", judged.analysis, sort_keys=False)
