"""The compiled kernels against the definition of the Shapley value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from clarify_ops.explain.trees import kernels
from clarify_ops.explain.trees.ensemble import Ensemble
from clarify_ops.explain.trees.kernels import TreeKernel, interventional, path_dependent, predict
from clarify_ops.explain.trees.leaf_values import (
    one_of_fractions,
    one_of_patterns,
    one_of_rows,
    quadrature,
    table_of_fractions,
    table_of_shares,
)
from clarify_ops.explain.trees.units import units
from tests.explain.trees.slow_trees import (
    leaf_shapley,
    path_game,
    random_ensemble,
    random_rows,
    row_game,
    shapley,
    slow_predict,
)

Floats = NDArray[np.float64]
EXACT: Any = {"rtol": 1e-10, "atol": 1e-12}

seeds = st.integers(0, 2**32 - 1)
roundings = st.sampled_from(["double", "float32"])


def players_of(rng: np.random.Generator, columns: int, *, count: int, free: bool) -> NDArray[np.int64]:
    return rng.integers(-1 if free else 0, count, columns)


@settings(max_examples=60, deadline=None)
@given(seeds, roundings)
def test_a_prediction_follows_every_split_as_it_is_described(seed: int, rounding: str) -> None:
    rng = np.random.default_rng(seed)
    ensemble = random_ensemble(rng, columns=4, outputs=2, trees=4, splits=12, rounding=rounding)
    rows = random_rows(rng, 40, 4)
    np.testing.assert_allclose(predict(ensemble, rows), [slow_predict(ensemble, row) for row in rows], **EXACT)


@settings(max_examples=60, deadline=None)
@given(seed=seeds, outputs=st.integers(1, 3), rounding=roundings, free=st.booleans())
def test_path_dependent_values_are_those_of_all_coalitions(
    *, seed: int, outputs: int, rounding: str, free: bool
) -> None:
    rng = np.random.default_rng(seed)
    ensemble = random_ensemble(rng, columns=5, outputs=outputs, trees=3, splits=14, rounding=rounding)
    players = players_of(rng, 5, count=4, free=free)
    rows = random_rows(rng, 4, 5)
    count = players.max() + 1
    expected = [shapley(path_game(ensemble, row, players), count, outputs) for row in rows]
    np.testing.assert_allclose(
        path_dependent(ensemble, rows, players), np.array(expected).reshape(4, count, outputs), **EXACT
    )


@settings(max_examples=60, deadline=None)
@given(seed=seeds, outputs=st.integers(1, 3), rounding=roundings, free=st.booleans())
def test_interventional_values_are_those_of_all_coalitions(
    *, seed: int, outputs: int, rounding: str, free: bool
) -> None:
    rng = np.random.default_rng(seed)
    ensemble = random_ensemble(rng, columns=5, outputs=outputs, trees=3, splits=14, rounding=rounding)
    players = players_of(rng, 5, count=4, free=free)
    rows, background = random_rows(rng, 3, 5), random_rows(rng, 4, 5)
    count = players.max() + 1
    expected = [shapley(row_game(ensemble, row, background, players), count, outputs) for row in rows]
    found = interventional(ensemble, rows, background, players)
    np.testing.assert_allclose(found, np.array(expected).reshape(3, count, outputs), **EXACT)


@settings(max_examples=40, deadline=None)
@given(seeds, st.integers(1, 12), st.sampled_from([1, 3, 6, 10]))
def test_however_trees_are_cut_the_values_are_the_same(seed: int, columns: int, bits: int) -> None:
    rng = np.random.default_rng(seed)
    ensemble = random_ensemble(rng, columns=columns, trees=3, splits=40)
    rows, background = random_rows(rng, 30, columns), random_rows(rng, 7, columns)
    players = players_of(rng, columns, count=columns, free=seed % 2 == 0)
    kernel, other = TreeKernel.of(ensemble, players), TreeKernel.of(ensemble, players)
    # Cut otherwise: with few bits most leaves are done one by one.
    vars(other)["units"] = units(ensemble, other.players, bits)
    np.testing.assert_allclose(other.path_dependent(rows), kernel.path_dependent(rows), **EXACT)
    np.testing.assert_allclose(other.interventional(rows, background), kernel.interventional(rows, background), **EXACT)


def test_a_path_of_more_players_than_a_table_holds() -> None:
    rng = np.random.default_rng(1)
    ensemble = chain(rng, 11)
    row = random_rows(rng, 1, 11)
    expected = shapley(path_game(ensemble, row[0], np.arange(11)), 11, 1)
    np.testing.assert_allclose(path_dependent(ensemble, row)[0], expected, **EXACT)


@pytest.mark.parametrize("columns", [4, 10, 11, 30, 62, 63, 64])
def test_a_path_of_very_many_players(columns: int) -> None:
    rng = np.random.default_rng(columns)
    ensemble = chain(rng, columns)
    rows, background = random_rows(rng, 5, columns), random_rows(rng, 3, columns)
    # Rows that come far: all but a few cells as in the first.
    rows[1:] = np.where(rng.random((4, columns)) < 0.9, rows[0], rows[1:])
    background = np.where(rng.random((3, columns)) < 0.9, rows[0], background)
    players = np.arange(columns)
    found = path_dependent(ensemble, rows)[..., 0]
    np.testing.assert_allclose(found, [leaf_sum(ensemble, row, None, players) for row in rows], **EXACT)
    players[3] = -1
    found = interventional(ensemble, rows, background, players)[..., 0]
    np.testing.assert_allclose(found, [leaf_sum(ensemble, row, background, players) for row in rows], **EXACT)


def chain(rng: np.random.Generator, columns: int) -> Ensemble:
    """One tree that asks for every column in turn; both sides are leaves but one."""
    left, right, column, cover = [], [], [], []
    for at in range(columns):
        left.append(2 * at + 1)
        right.append(2 * at + 2)
        column.append(at)
        cover.append(2.0 ** (columns - at))
        left.append(-1)
        right.append(-1)
        column.append(-1)
        cover.append(2.0 ** (columns - at) * 0.3)
    cover.append(cover[-2] * 0.7)
    left, right, column = [*left, -1], [*right, -1], [*column, -1]
    nodes = len(left)
    split = np.array(left) >= 0
    # The next split of a node is its right child, which stands two further on.
    return Ensemble(
        columns=columns,
        tree_starts=np.array([0, nodes]),
        left=np.array(left, dtype=np.int32),
        right=np.array(right, dtype=np.int32),
        column=np.array(column, dtype=np.int32),
        threshold=np.where(split, rng.choice([-1.0, -0.25, 0.1], nodes), np.nan),
        missing_left=np.zeros(nodes, dtype=np.bool_),
        missing=np.zeros(nodes, dtype=np.int8),
        category_starts=np.full(nodes, -1, dtype=np.int32),
        category_counts=np.zeros(nodes, dtype=np.int32),
        category_words=np.zeros(0, dtype=np.uint32),
        cover=np.array(cover),
        values=np.where(split, 0.0, rng.normal(size=nodes))[:, None],
        base=np.zeros(1),
        rounding="double",
        unit="value",
        library="made up",
    )


def leaf_sum(ensemble: Ensemble, row: Floats, background: Floats | None, players: NDArray[Any]) -> Floats:
    """(players,): leaf by leaf of a chain, where every column is on a path once."""
    out = np.zeros(players.max() + 1)
    path: list[tuple[int, bool]] = []
    for node in range(len(ensemble.left)):
        if ensemble.left[node] >= 0:
            for leaf, side in ((node + 1, True), (node + 2, False)):
                if ensemble.left[leaf] < 0:
                    out += leaf_share(ensemble, leaf, [*path, (node, side)], row, background, players)
            path.append((node, False))
    return out


def leaf_share(
    ensemble: Ensemble,
    leaf: int,
    path: list[tuple[int, bool]],
    row: Floats,
    background: Floats | None,
    players: NDArray[Any],
) -> Floats:
    def meets(one: Floats) -> Floats:
        return np.array(
            [(one[ensemble.column[node]] <= ensemble.threshold[node]) == side for node, side in path], float
        )

    out = np.zeros(players.max() + 1)
    owners = np.array([players[ensemble.column[node]] for node, _ in path])
    kept = owners >= 0
    if not meets(row)[~kept].all():
        return out
    if background is None:
        children = [ensemble.left[node] if side else ensemble.right[node] for node, side in path]
        fractions = [ensemble.cover[children] / ensemble.cover[[node for node, _ in path]]]
    else:
        fractions = [meets(other) for other in background]
    for fraction in fractions:
        given = leaf_shapley(meets(row)[kept], fraction[kept])
        out[owners[kept]] += given * ensemble.values[leaf, 0] / len(fractions)
    return out


@pytest.mark.parametrize("size", range(1, 9))
def test_every_way_to_share_out_a_leaf_is_the_same(size: int) -> None:
    rng = np.random.default_rng(size)
    rule = quadrature(np.arange(1, size + 1))
    fraction = np.concatenate([rng.random(size - 1), [0.0]])
    patterns = 1 << size
    table, product, one = np.empty((size, patterns)), np.empty(patterns), np.empty(size)
    table_of_fractions(fraction, rule, product, table)
    bits = np.array([[pattern >> player & 1 for player in range(size)] for pattern in range(patterns)])
    for pattern in range(patterns):
        present = bits[pattern].astype(float)
        expected = leaf_shapley(present, fraction)
        np.testing.assert_allclose(table[:, pattern], expected, **EXACT)
        one_of_fractions(present, fraction, rule, product, one)
        np.testing.assert_allclose(one, expected, **EXACT)
    share = rng.random(patterns) * (rng.random(patterns) < 0.5)
    share /= max(share.sum(), 1.0)
    table_of_shares(share, size, rule, product, table)
    others = np.flatnonzero(share)
    for pattern in range(patterns):
        expected = sum(
            share[other] * leaf_shapley(bits[pattern].astype(float), bits[other].astype(float)) for other in others
        )
        np.testing.assert_allclose(table[:, pattern], expected + np.zeros(size), **EXACT)
        one_of_patterns(np.int64(pattern), size, others, share[others], rule, one)
        np.testing.assert_allclose(one, expected + np.zeros(size), **EXACT)
    rows = bits[rng.integers(0, patterns, 5)].astype(np.uint8)
    one_of_rows(rows[0], np.ascontiguousarray(rows.T), rule, one)
    expected = np.mean([leaf_shapley(rows[0].astype(float), other.astype(float)) for other in rows], axis=0)
    np.testing.assert_allclose(one, expected, **EXACT)


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_values_are_the_same_to_the_last_bit_for_any_batch_and_number_of_threads(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ensemble = random_ensemble(rng, columns=12, trees=4, splits=60)
    rows, background = random_rows(rng, 300, 12), random_rows(rng, 20, 12)
    kernel = TreeKernel.of(ensemble)
    together, against = kernel.path_dependent(rows), kernel.interventional(rows, background)
    for at in (0, 299):
        np.testing.assert_array_equal(kernel.path_dependent(rows[at : at + 1])[0], together[at])
        np.testing.assert_array_equal(kernel.interventional(rows[at : at + 1], background)[0], against[at])
    np.testing.assert_array_equal(kernel.path_dependent(rows, threads=3), together)
    np.testing.assert_array_equal(kernel.interventional(np.asfortranarray(rows), background, threads=2), against)


def test_more_rows_than_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    ensemble = random_ensemble(rng, columns=6, outputs=2, trees=4, splits=30)
    rows = random_rows(rng, kernels.BATCH + 10, 6)
    kernel = TreeKernel.of(ensemble)
    values = kernel.path_dependent(rows)
    np.testing.assert_array_equal(values[-20:], kernel.path_dependent(rows[-20:]))
    np.testing.assert_allclose(kernel.expected() + values.sum(axis=1), kernel.predict(rows), **EXACT)


@pytest.mark.parametrize("outputs", [1, 40])
def test_many_columns_are_added_by_name_and_few_by_line(outputs: int) -> None:
    rng = np.random.default_rng(outputs)
    ensemble = random_ensemble(rng, columns=7, outputs=outputs, trees=5, splits=30)
    rows, background = random_rows(rng, 50, 7), random_rows(rng, 9, 7)
    kernel = TreeKernel.of(ensemble)
    values = kernel.interventional(rows, background)
    np.testing.assert_allclose(
        kernel.predict(background).mean(axis=0) + values.sum(axis=1), kernel.predict(rows), **EXACT
    )
    # An output is explained as if it were the only one.
    alone = random_ensemble(np.random.default_rng(outputs), columns=7, outputs=outputs, trees=5, splits=30)
    vars(alone)["values"], vars(alone)["base"] = alone.values[:, :1].copy(), alone.base[:1]
    np.testing.assert_array_equal(interventional(alone, rows, background)[..., 0], values[..., 0])


def test_an_ensemble_without_splits_or_rows() -> None:
    rng = np.random.default_rng(1)
    ensemble = random_ensemble(rng, columns=3, trees=2, splits=0)
    rows = random_rows(rng, 4, 3)
    np.testing.assert_array_equal(path_dependent(ensemble, rows), np.zeros((4, 3, 1)))
    np.testing.assert_array_equal(interventional(ensemble, rows, rows), np.zeros((4, 3, 1)))
    full = random_ensemble(rng, columns=3, trees=2, splits=9)
    assert path_dependent(full, rows[:0]).shape == (0, 3, 1)
    assert path_dependent(full, rows, np.array([-1, -1, -1])).shape == (4, 0, 1)


def test_arguments_that_do_not_fit() -> None:
    ensemble = random_ensemble(np.random.default_rng(1), columns=3)
    with pytest.raises(ValueError, match="3 columns"):
        TreeKernel.of(ensemble, np.array([0, 1]))
    with pytest.raises(ValueError, match="at least one row"):
        interventional(ensemble, np.zeros((1, 3)), np.zeros((0, 3)))
