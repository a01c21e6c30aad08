"""A command line that answers at once: the heavy libraries are imported by the file that needs them, when it does."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = frozenset(
    [
        "airflow",
        "boto3",
        "kfp",
        "matplotlib",
        "mlflow",
        "numpy",
        "pandas",
        "pyarrow",
        "sagemaker",
        "scipy",
        "shap",
        "sklearn",
    ]
)


@pytest.mark.parametrize("module", ["clarify_ops", "clarify_ops.cli"])
def test_import_is_light(module: str) -> None:
    program = f"import sys, {module}; print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    imported = {name.partition(".")[0] for name in result.stdout.split()}
    assert "clarify_ops" in imported
    assert not HEAVY & imported


@pytest.mark.parametrize(
    ("binding", "name", "package", "extra"),
    [
        ("kubeflow", "train", "kfp", "kfp"),
        ("airflow", "TrainOperator", "airflow", "airflow"),
        ("sagemaker", "train", "sagemaker", "sagemaker"),
    ],
)
def test_an_absent_orchestrator_is_named_with_its_extra(binding: str, name: str, package: str, extra: str) -> None:
    # A None among the modules is how Python marks what cannot be imported.
    program = f"import sys; sys.modules[{package!r}] = None; from clarify_ops.components.{binding} import {name}"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "MissingExtra" in result.stderr
    assert f"pip install 'clarify-ops[{extra}]'" in result.stderr
