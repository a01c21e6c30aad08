"""The main job: the five steps in order, and nothing more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from clarify_ops.gate.signing import signing_key
from clarify_ops.steps import explain, posttraining_bias, pretraining_bias, register, train
from clarify_ops.steps.inputs import Inputs, check
from clarify_ops.steps.judging import Parts
from clarify_ops.steps.progress import silent

StepProgress = Callable[[int, str, str], None]

ORDER = (pretraining_bias.NAME, train.NAME, posttraining_bias.NAME, explain.NAME, register.NAME)


def parts_of(folder: Path) -> Parts:
    """Where the steps of a run lie."""
    return Parts(
        pretraining_bias=folder / "pretraining_bias",
        training=folder / "training",
        posttraining_bias=folder / "posttraining_bias",
        explanations=folder / "explanations",
    )


def run(
    pipeline: str | Path,
    output: str | Path,
    *,
    data: str | None = None,
    model: str | Path | None = None,
    policy: str | Path | None = None,
    registry_uri: str | None = None,
    key: str | Path | None = None,
    progress: StepProgress | None = None,
) -> register.Outcome:
    """Runs a pipeline.

    Args:
        pipeline: Path of the pipeline document.
        output: Folder of the run; each step writes one folder in it.
        data: URI of the dataset, in place of the pipeline's.
        model: Where the model is that was trained elsewhere, if the pipeline says so.
        policy: Path of a policy, in place of the pipeline's.
        registry_uri: Registry, in place of the pipeline's.
        key: Path of a private key to sign with; absent: the one that CLARIFY_OPS_SIGNING_KEY names, or none.
        progress: Told (number of the step from 1, its name, what is being done).
    """
    # A key that cannot be read shows before the work, not after it.
    signing_key(key)
    inputs = check(Inputs.read(pipeline, data=data, policy=policy))
    train.require_model(inputs.pipeline, model)
    explain.check_settings(inputs)
    folder = Path(output)
    parts = parts_of(folder)

    def tell(number: int) -> Callable[[str], None]:
        return silent if progress is None else lambda words: progress(number, ORDER[number - 1], words)

    pretraining_bias.run(pipeline, parts.pretraining_bias, data=data, policy=policy, progress=tell(1))
    train.run(pipeline, parts.training, data=data, model=model, policy=policy, progress=tell(2))
    posttraining_bias.run(
        pipeline, parts.posttraining_bias, training=parts.training, data=data, policy=policy, progress=tell(3)
    )
    explain.run(pipeline, parts.explanations, training=parts.training, data=data, policy=policy, progress=tell(4))
    return register.run(
        pipeline,
        folder / "release",
        parts=parts,
        data=data,
        policy=policy,
        registry_uri=registry_uri,
        key=key,
        progress=tell(5),
    )
