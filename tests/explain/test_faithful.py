"""Values that do not add up are found, output by output."""

from __future__ import annotations

import json

import numpy as np
import pytest

from clarify_ops.explain.faithful import faithful
from clarify_ops.explain.kernel import kernel_shap

from .models import loan, loans


@pytest.mark.parametrize("use_logit", [False, True])
def test_what_adds_up_and_what_does_not(use_logit: bool) -> None:  # noqa: FBT001
    explanation = kernel_shap(loan, loans(5, 1), loans(2, 2), seed=0, use_logit=use_logit, labels=["yes", "no"])
    found = faithful(explanation)
    assert found.holds
    assert found.unit == explanation.unit
    assert max(found.gap) == pytest.approx(explanation.additivity_gap(), abs=1e-15)
    away = np.abs(explanation.predictions - explanation.expected_value)
    np.testing.assert_allclose(found.moved, away.max(axis=0))
    explanation.values[2, 0, 1] += 0.25
    broken = faithful(explanation)
    assert not broken.holds
    np.testing.assert_allclose(broken.gap, [0, 0.25], atol=1e-12)
    assert json.loads(json.dumps(broken.to_json()))["outputs"]["no"]["additivity_gap"] == broken.gap[1]


def test_no_rows_add_up() -> None:
    assert faithful(kernel_shap(loan, loans(3, 1).iloc[:0], loans(2, 2), seed=0)).holds
