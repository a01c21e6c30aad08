"""Distance from parity of candidate and champion, compared on the same rows."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from clarify_ops.bias.bootstrap import ReplicateEnds
from clarify_ops.bias.measure import plain_value
from clarify_ops.bias.paired import FartherEnds, JointCells, compare_bias
from clarify_ops.bias.table import BY_NAME, METRICS
from clarify_ops.data.outcomes import Outcomes
from clarify_ops.data.tally import CodedRows, code_rows
from clarify_ops.measures import Measure

from .test_report import config

Floats = NDArray[np.float64]
COUNTED = [one.name for one in METRICS if one.form is not None and one.stage == "post_training"]


def people(rows: int = 900, seed: int = 0) -> pd.DataFrame:
    """Labels, and predictions of two models that share what they know; the candidate takes from g = 1."""
    rng = np.random.default_rng(seed)
    g, label, area = rng.random(rows) < 0.4, rng.random(rows) < 0.5, rng.integers(0, 2, rows)
    known = rng.normal(size=rows) + 1.4 * label
    return pd.DataFrame(
        {
            "g": g.astype(int),
            "area": area,
            "label": label,
            "candidate": known + rng.normal(0, 0.5, rows) - 0.5 * g > 0.6,
            "champion": known + rng.normal(0, 0.5, rows) - 0.2 * g > 0.6,
        }
    )


def coded(frame: pd.DataFrame, predicted: str = "candidate") -> CodedRows:
    outcomes = Outcomes("label", frame["label"].to_numpy(), "1", frame[predicted].to_numpy(), kinds={})
    asked = config(facet=[{"name_or_index": "g"}], group_variable="area", label="label")
    return code_rows(frame, config=asked, facets=["g"], group="area", outcomes=outcomes)


def compared(frame: pd.DataFrame, level: float = 0.9, seed: int = 0) -> dict[tuple[str, str | None], Measure]:
    found = compare_bias(coded(frame), frame["champion"].to_numpy(), METRICS, level=level, seed=seed)
    return {(one.metric, one.facet_value): one for one in found}


def distance(name: str, frame: pd.DataFrame, predicted: str) -> float:
    rows = coded(frame, predicted)
    entry = next(one for one in rows.entries if one.value == "1")
    value, *_ = plain_value(BY_NAME[name], rows.tally().table.split(entry))
    assert value is not None
    return abs(math.log(value)) if name == "DI" else abs(value)


def test_it_is_the_difference_of_both_distances_from_parity() -> None:
    frame = people()
    found = compared(frame)
    assert {name for name, _ in found} == set(COUNTED)
    for name in COUNTED:
        one = found[name, "1"]
        assert one.value == pytest.approx(distance(name, frame, "candidate") - distance(name, frame, "champion"))
        assert one.stage == "champion"
        assert one.groups == {"a": int((frame["g"] == 0).sum()), "d": int((frame["g"] == 1).sum())}
        assert one.interval is not None
        assert one.interval.low <= (one.value or 0) <= one.interval.high


def test_the_joint_cells_hold_both_models_counts() -> None:
    frame = people()
    rows = coded(frame)
    entry = next(one for one in rows.entries if one.value == "1")
    cells = JointCells.of(rows, entry, frame["champion"].to_numpy())
    for found, predicted in zip(cells.sides(cells.table), ("candidate", "champion"), strict=True):
        expected = coded(frame, predicted).tally().table.split(entry)
        np.testing.assert_array_equal(found.total, expected.total)
        assert found.by_group is not None
        assert expected.by_group is not None
        np.testing.assert_array_equal(found.by_group, expected.by_group)


def test_levels_seeds_and_rows() -> None:
    frame = people()
    shuffled = frame.sample(frac=1, random_state=1).reset_index(drop=True)
    one, again, other = compared(frame), compared(shuffled), compared(frame, seed=1)
    for key, found in one.items():
        assert found.ends is not None
        assert found.interval is not None
        assert found.interval == again[key].interval
        assert found.ends(0.9) == (found.interval.low, found.interval.high)
        for (low, high), (lower, higher) in pairwise(found.ends(level) for level in (0.5, 0.8, 0.95, 0.99)):
            assert lower <= low <= high <= higher
        with pytest.raises(KeyError):
            found.ends(0.9, {"d": 2.0})
    assert one["DPPL", "1"].interval != other["DPPL", "1"].interval


def test_a_model_is_as_far_from_parity_as_itself() -> None:
    frame = people()
    frame["champion"] = frame["candidate"]
    for found in compared(frame).values():
        assert found.value == 0
        assert found.interval is not None
        assert found.interval.low <= 0 <= found.interval.high
        assert found.interval.reliable


def test_what_one_model_has_no_value_for_is_undefined() -> None:
    frame = people()
    frame["champion"] = False
    found = compared(frame)
    assert found["DAR", "1"].value is None
    assert found["DAR", "1"].reason.startswith("Of the champion: There are no")
    assert found["DPPL", "1"].value is not None


def test_few_rows_in_a_cell_are_called_unreliable() -> None:
    frame = people(900)
    frame.loc[frame["g"] == 1, "champion"] = np.arange(int((frame["g"] == 1).sum())) < 4
    found = compared(frame)["DPPL", "1"].interval
    assert found is not None
    assert not found.reliable


def exactly(value: float, error: float, draws: Floats) -> ReplicateEnds:
    return ReplicateEnds(value + error * draws, value, 0.0, (-math.inf, math.inf), firm=True)


@pytest.mark.parametrize("truth", [(0.0, 0.0), (0.2, 0.0), (0.0, 0.2), (0.2, -0.2), (0.1, 0.03)])
def test_neither_end_is_passed_too_often(truth: tuple[float, float]) -> None:
    """Two estimates with normal errors, of which every kink of the absolute values is in reach."""
    rng, draws, error = np.random.default_rng(0), 400, 0.04
    gap = abs(truth[0]) - abs(truth[1])
    above = below = 0
    for _ in range(draws):
        c, h = np.asarray(truth) + error * rng.normal(size=2)
        noise = error * rng.normal(size=(2, 1000))
        signs = [
            (1,) if (one + each > 0).all() else (-1,) if (one + each < 0).all() else (1, -1)
            for one, each in zip((c, h), noise, strict=True)
        ]
        ends = FartherEnds(exactly(c - h, 1.0, noise[0] - noise[1]), exactly(c + h, 1.0, noise.sum(axis=0)), *signs)
        low, high = ends(0.9)
        assert low <= abs(c) - abs(h) <= high
        above += low > gap
        below += high < gap
    most = 0.05 + 3 * math.sqrt(0.05 * 0.95 / draws)
    assert above / draws < most
    assert below / draws < most
