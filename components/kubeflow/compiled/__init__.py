"""Every component as a component.yaml, for pipelines whose authors do not install clarify_ops."""

import tempfile
from pathlib import Path

from kfp import compiler

from clarify_ops.components import kubeflow

FILE = "component.yaml"
FOLDER = Path(__file__).parent
# Everything that is exported is a component, but for what sets one up.
NAMES = tuple(name for name in kubeflow.__all__ if name != "settled")


def compiled(name: str) -> str:
    """The component.yaml of a component, which names the image that `CLARIFY_OPS_IMAGE` says.

    Args:
        name: As it is imported: "posttraining_bias".
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, FILE)
        compiler.Compiler().compile(getattr(kubeflow, name), str(file))
        return file.read_text(encoding="utf-8")


def write(folder: Path) -> None:
    """Writes every component as <name>/component.yaml."""
    for name in NAMES:
        file = folder / name / FILE
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(compiled(name), encoding="utf-8")
