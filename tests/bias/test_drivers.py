"""Decompositions and reversals: published tables, sums that must come out, and plain loops over rows."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clarify_ops.bias.drivers import Drivers, decompose, drivers
from clarify_ops.bias.measure import plain_value
from clarify_ops.bias.table import BY_NAME, METRICS, metrics_of
from clarify_ops.config.analysis import Facet
from clarify_ops.data.counts import CountTable, count

# Admitted and refused, men and women, in the six largest departments of Berkeley in 1973: Bickel, Hammel and O'Connell,
# 1975, doi:10.1126/science.187.4175.398; the table is Freedman, Pisani and Purves, Statistics, chapter 2.
BERKELEY = {
    "A": (512, 313, 89, 19),
    "B": (353, 207, 17, 8),
    "C": (120, 205, 202, 391),
    "D": (138, 279, 131, 244),
    "E": (53, 138, 94, 299),
    "F": (22, 351, 24, 317),
}
# Successes and failures of open surgery and of percutaneous nephrolithotomy, by size of the stone: Charig, Webb, Payne
# and Wickham, 1986, doi:10.1136/bmj.292.6524.879.
STONES = {"small": (81, 6, 234, 36), "large": (192, 71, 55, 25)}
DIFFERENCES = {"DPL", "AD", "DAR", "DPPL", "DRR", "RD", "SD"}


def published(table: dict[str, tuple[int, int, int, int]], times: int = 1) -> CountTable:
    """One row a case: side a first, then d."""
    rows = [
        (group, side, hit)
        for group, cells in table.items()
        for (side, hit), cases in zip((("a", 1), ("a", 0), ("d", 1), ("d", 0)), cells, strict=True)
        for _ in range(cases * times)
    ]
    frame = pd.DataFrame(rows, columns=["group", "side", "hit"])
    facet = Facet(name_or_index="side", value_or_threshold=["d"])
    return count(frame, facets=[facet], label=frame["hit"].to_numpy() == 1, group="group")


def of_labels(table: CountTable) -> Drivers:
    return drivers(table, [BY_NAME["DPL"], BY_NAME["CDDL"]], level=0.95)


def test_berkeley_is_a_reversal_of_composition() -> None:
    found = of_labels(published(BERKELEY))
    (decomposition,) = found.decompositions
    # 44 % of the men and 30 % of the women were admitted.
    assert decomposition.gap == pytest.approx(1198 / 2691 - 557 / 1835, abs=1e-12)
    assert decomposition.within < 0 < decomposition.composition
    (reversal,) = found.reversals
    assert reversal.supported
    assert not reversal.everywhere
    assert [part.group for part, _ in reversal.opposite] == ["A", "D", "F", "B"]
    assert (reversal.opposite[0][0].first, reversal.opposite[0][0].second) == ((512, 825), (89, 108))
    assert reversal.compared == 4526
    assert reversal.to_json()["evidence"] == "supported"


def test_berkeley_with_the_departments_weighed_alike() -> None:
    (decomposition,) = of_labels(published(BERKELEY)).decompositions
    # The weighted averages that the book gives: 39 % of the men and 43 % of the women.
    men = sum(part.rows * part.first[0] / part.first[1] for part in decomposition.parts) / 4526
    women = sum(part.rows * part.second[0] / part.second[1] for part in decomposition.parts) / 4526
    assert (round(men, 2), round(women, 2)) == (0.39, 0.43)


@pytest.mark.parametrize(("times", "evidence"), [(1, "apparent"), (10, "supported")])
def test_kidney_stones_turn_around_in_both_sizes(times: int, evidence: str) -> None:
    (reversal,) = of_labels(published(STONES, times)).reversals
    # 78 % and 83 % in the whole; 93 % and 87 % of small, 73 % and 69 % of large stones.
    assert round(reversal.gap, 2) == -0.05
    assert [(part.group, round(part.difference or 0, 2)) for part, _ in reversal.opposite] == [
        ("small", 0.06),
        ("large", 0.04),
    ]
    assert reversal.everywhere
    assert reversal.to_json()["evidence"] == evidence


def test_no_reversal_where_strata_agree_or_the_minority_differs() -> None:
    assert of_labels(published({"x": (8, 2, 5, 5), "y": (7, 3, 4, 6)})).reversals == ()
    mostly = published({"x": (80, 20, 50, 50), "y": (1, 2, 2, 1)})
    assert of_labels(mostly).reversals == ()
    assert len(drivers(mostly, [BY_NAME["DPL"]], level=0.95, majority=0.01).reversals) == 1


def test_rows_without_a_group_are_a_part_of_the_gap_but_turn_nothing_around() -> None:
    frame = pd.DataFrame({"group": [None] * 8 + ["x"] * 8, "side": list("aaaadddd") * 2, "guess": False})
    frame["hit"] = [True, False, False, False, True, True, False, False, True, True, True, True] + [False] * 4
    facet = Facet(name_or_index="side", value_or_threshold=["d"])
    table = count(frame, facets=[facet], label=frame["hit"].to_numpy(dtype=bool), group="group")
    found = drivers(table, [BY_NAME["DPL"]], level=0.9, majority=0.0)
    (decomposition,) = found.decompositions
    assert decomposition.gap == pytest.approx(5 / 8 - 2 / 8)
    # Half of all rows each: half of 1/4 less, and half of all more.
    assert [(part.group, part.within) for part in decomposition.parts] == [("x", 0.5), (None, -0.125)]
    assert found.reversals == ()


def random_rows(rng: np.random.Generator, rows: int, groups: int) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "side": rng.choice(["a", "d", "e"], rows),
            "group": [None if code < 0 else str(code) for code in rng.integers(-1, groups, rows)],
            "hit": rng.random(rows) < 0.4,
            "guess": rng.random(rows) < 0.6,
        }
    )
    frame.loc[:1, "side"] = ["a", "d"]
    frame.loc[0, "group"] = "0"
    return frame


def counted(frame: pd.DataFrame, group: str | None = "group") -> CountTable:
    label, predicted = frame["hit"].to_numpy(dtype=bool), frame["guess"].to_numpy(dtype=bool)
    return count(frame, facets=[Facet(name_or_index="side")], label=label, predicted=predicted, group=group)


@settings(deadline=None, max_examples=60)
@given(st.integers(3, 60), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_parts_and_terms_add_up_to_the_metric(rows: int, groups: int, seed: int) -> None:
    table = counted(random_rows(np.random.default_rng(seed), rows, groups))
    found = drivers(table, METRICS, level=0.9)
    assert {one.metric for one in found.decompositions} <= DIFFERENCES
    by_key = {(one.metric, one.facet_value): one for one in found.decompositions}
    for entry in table.entries:
        counts = table.split(entry)
        for name in DIFFERENCES:
            value = plain_value(BY_NAME[name], counts)[0]
            one = by_key.get((name, entry.value))
            assert (one is None) == (value is None)
            if one is not None:
                assert one.gap == pytest.approx(value, abs=1e-12)
                assert one.within + one.composition == pytest.approx(value, abs=1e-12)
                assert sum(part.contribution for part in one.parts) == pytest.approx(value, abs=1e-12)
        for name in ("CDDL", "CDDPL"):
            terms = [term for term in found.terms if (term.metric, term.facet_value) == (name, entry.value)]
            value = plain_value(BY_NAME[name], counts)[0]
            assert sum(term.contribution for term in terms) == pytest.approx(value or 0.0, abs=1e-12)
            assert [abs(term.contribution) for term in terms] == sorted(
                (abs(term.contribution) for term in terms), reverse=True
            )


@settings(deadline=None, max_examples=40)
@given(st.integers(3, 60), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_parts_are_what_loops_over_rows_find(rows: int, groups: int, seed: int) -> None:
    frame = random_rows(np.random.default_rng(seed), rows, groups)
    table = counted(frame)
    entry = next(one for one in table.entries if one.value == "d")
    found = decompose(BY_NAME["DPPL"], entry, table.split(entry), table.groups)
    assert found is not None
    sides = {False: frame[frame["side"] != "d"], True: frame[frame["side"] == "d"]}
    middle = sum(side["guess"].mean() for side in sides.values()) / 2
    for part in found.parts:
        share = {}
        hits = {}
        for which, side in sides.items():
            those = side[side["group"].isna() if part.group is None else side["group"] == part.group]
            share[which] = len(those) / len(side)
            hits[which] = those["guess"].tolist()
        first = np.mean(hits[False] or hits[True])
        second = np.mean(hits[True] or hits[False])
        assert part.within == pytest.approx((share[False] + share[True]) / 2 * (first - second), abs=1e-12)
        expected = (share[False] - share[True]) * ((first + second) / 2 - middle)
        assert part.composition == pytest.approx(expected, abs=1e-12)
        assert (part.difference is None) == (0 in share.values())


def test_strata_alike_leave_nothing_within_and_sides_alike_nothing_to_composition() -> None:
    (alike,) = of_labels(published({"x": (8, 2, 4, 1), "y": (1, 4, 2, 8)})).decompositions
    assert alike.within == pytest.approx(0, abs=1e-15)
    assert alike.composition == pytest.approx(alike.gap)
    (spread,) = of_labels(published({"x": (8, 2, 5, 5), "y": (1, 4, 0, 5)})).decompositions
    assert spread.composition == pytest.approx(0, abs=1e-15)
    assert spread.within == pytest.approx(spread.gap)


def test_a_disparity_is_a_sum_over_groups() -> None:
    terms = of_labels(published({"x": (6, 2, 2, 2), "y": (1, 1, 1, 5), "z": (0, 9, 0, 9)})).terms
    # x: 2/4 of the refused and 2/8 of the admitted are d; y: 5/6 and 1/2; nobody of z was admitted.
    assert [(term.group, term.rows) for term in terms] == [("x", 12), ("y", 8)]
    assert [term.disparity for term in terms] == pytest.approx([1 / 4, 1 / 3])
    assert [term.contribution for term in terms] == pytest.approx([12 / 20 / 4, 8 / 20 / 3])


def test_the_facet_values_farthest_from_parity_come_first() -> None:
    frame = pd.DataFrame(
        {
            "side": ["a"] * 10 + ["d"] * 10 + ["e"] * 10,
            "hit": [True] * 30,
            "guess": [True] * 8 + [False] * 2 + [True] * 2 + [False] * 8 + [True] * 5 + [False] * 5,
        }
    )
    found = drivers(counted(frame, None), metrics_of("post_training"), level=0.9, top=2)
    ratios = [(one.facet_value, one.value) for one in found.apart if one.metric == "DI"]
    # d: 2/10 against 13/20; a: 8/10 against 7/20.
    assert [value for value, _ in ratios] == ["d", "a"]
    assert [number for _, number in ratios] == pytest.approx([4 / 13, 16 / 7])
    assert found.apart[0].groups == {"a": 20, "d": 10}
    assert (found.decompositions, found.terms, found.reversals) == ((), (), ())


def test_a_ratio_of_nothing_is_farthest_of_all() -> None:
    frame = pd.DataFrame({"side": ["a", "a", "d", "d"], "hit": [True] * 4, "guess": [True, False, False, False]})
    (farthest,) = drivers(counted(frame, None), [BY_NAME["DI"]], level=0.9).apart
    assert (farthest.facet_value, farthest.value) == ("d", 0.0)


def test_everything_is_written_as_json() -> None:
    table = counted(random_rows(np.random.default_rng(4), 200, 3))
    found = drivers(table, METRICS, level=0.9, majority=0.0)
    document = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert {name: len(document[name]) for name in document} == {
        "apart": len(found.apart),
        "decompositions": len(found.decompositions),
        "reversals": len(found.reversals),
        "terms": len(found.terms),
    }
    assert all(document.values())
    assert [one["evidence"] for one in document["reversals"]] == sorted(
        (one["evidence"] for one in document["reversals"]), reverse=True
    )
