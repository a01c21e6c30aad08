"""Baselines made from the data: the number of clusters, their centres, and what a centre may be."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clarify_ops.errors import BadData, BadDocument
from clarify_ops.explain.cluster_count import count_clusters, prediction_strength
from clarify_ops.explain.clusters import CLUSTERED_ROWS, clustered_baseline
from clarify_ops.explain.prototypes import Codes, Encoded, distances, encode, partition

from .models import loans


def planted(rows: int, clusters: int, seed: int, *, categories: bool) -> tuple[pd.DataFrame, Codes]:
    """Groups five standard deviations apart along a line in three numbers; three texts mostly tell the group."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, clusters, rows)
    frame = pd.DataFrame(5.0 * group[:, None] + rng.normal(size=(rows, 3)), columns=["x", "y", "z"])
    if categories:
        for name in ("a", "b", "c"):
            frame[name] = np.where(rng.random(rows) < 0.8, group, rng.integers(0, clusters, rows)).astype(str)
    return frame, group


def noise(kind: str, rows: int, seed: int) -> pd.DataFrame:
    """Independent features: nothing in them is a cluster."""
    rng = np.random.default_rng(seed)
    if kind == "mixed":
        return pd.DataFrame(
            {
                "town": rng.choice(["north", "south", "west"], rows),
                "member": rng.random(rows) < 0.3,
                "age": rng.normal(40, 10, rows),
                "income": rng.random(rows),
            }
        )
    made = {
        "normal": rng.normal(size=(rows, 4)),
        "square": rng.random((rows, 2)),
        "line": rng.random((rows, 1)),
        "skewed": np.exp(2 * rng.normal(size=(rows, 4))),
        "binary": rng.integers(0, 2, (rows, 4)),
    }[kind]
    return pd.DataFrame(made).rename(columns=str)


@pytest.mark.parametrize("categories", [False, True])
@pytest.mark.parametrize("clusters", [2, 3, 5])
def test_planted_clusters_are_found(clusters: int, *, categories: bool) -> None:
    data, group = planted(600, clusters, seed=clusters, categories=categories)
    found = clustered_baseline(data, seed=1)
    assert len(found.rows) == clusters
    order = np.argsort(found.rows["x"])
    means = data[["x", "y", "z"]].groupby(group).mean()
    np.testing.assert_allclose(found.rows[["x", "y", "z"]].iloc[order], means, atol=0.1)
    np.testing.assert_allclose(found.weights[order], np.bincount(group) / len(group), atol=0.01)
    assert list(found.weights) == sorted(found.weights, reverse=True)
    if categories:
        assert found.rows["a"].iloc[order].tolist() == [str(one) for one in range(clusters)]
    assert found.how.startswith(f"{clusters} centres of {'k-prototypes' if categories else 'k-means'} of 600 rows;")


@pytest.mark.parametrize("kind", ["normal", "square", "line", "skewed", "binary", "mixed"])
def test_noise_is_one_cluster(kind: str) -> None:
    for seed in range(3):
        assert len(clustered_baseline(noise(kind, 400, seed), seed=seed).rows) == 1


def test_one_centre_is_means_and_most_frequent_values() -> None:
    data = pd.DataFrame(
        {
            "age": [30, 20, 51, 40],
            "income": [1.5, np.nan, 2.5, 9.5],
            "town": ["west", "north", "north", None],
            "grade": pd.Categorical(["b", "a", None, "b"], categories=["a", "b", "c"]),
            "married": [True, False, False, True],
            "code": [7, 8, 8, 9],
        }
    )
    found = clustered_baseline(data, ["code"], num_clusters=1)
    assert found.rows.iloc[0].tolist() == [35, 4.5, "north", "b", True, 8]
    assert found.rows.dtypes.tolist() == data.dtypes.tolist()
    assert found.weights.tolist() == [1.0]
    assert found.warnings == ()
    assert found.how == "1 centre of k-prototypes of 4 rows; their number is as configured."
    assert clustered_baseline(data).how == "1 centre of k-prototypes of 4 rows; more need more rows that differ."


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 40), st.integers(1, 6), st.integers(0, 2**32))
def test_centres_keep_dtypes_and_categories_and_lie_among_the_numbers(rows: int, clusters: int, seed: int) -> None:
    data = loans(rows, seed)
    found = clustered_baseline(data, num_clusters=clusters, seed=seed)
    assert found.rows.dtypes.tolist() == data.dtypes.tolist()
    distinct = encode(data, ()).distinct()
    assert len(found.rows) == min(clusters, distinct)
    assert bool(found.warnings) == (clusters > distinct > 0 and clusters > 1)
    assert found.weights.sum() == pytest.approx(1)
    for name in data.columns:
        values, observed = found.rows[name].dropna(), data[name].dropna()
        if name in ("income", "children"):
            assert values.between(observed.min(), observed.max()).all()
        else:
            assert set(values) <= set(observed)
    again = clustered_baseline(data, num_clusters=clusters, seed=seed)
    pd.testing.assert_frame_equal(found.rows, again.rows)


def test_a_centre_lacks_a_value_only_where_most_of_its_rows_do() -> None:
    rng = np.random.default_rng(0)
    group = np.repeat([0, 1], 100)
    place = 20.0 * group + rng.normal(size=200)
    # Four of five in the second group have no income and no town, one of five in the first.
    gap = rng.random(200) < np.where(group == 1, 0.8, 0.2)
    data = pd.DataFrame({"x": place, "y": place + rng.normal(size=200)})
    data["income"] = pd.Series(np.where(gap, np.nan, 7.0))
    data["town"] = pd.Series(np.where(group == 1, "north", "south")).mask(gap)
    data["children"] = pd.array([None if one else 3 for one in gap], dtype="Int64")
    found = clustered_baseline(data, num_clusters=2).rows.sort_values("x")
    assert found["income"].isna().tolist() == [False, True]
    assert found["town"].isna().tolist() == [False, True]
    assert found["children"].isna().tolist() == [False, True]
    assert found.iloc[0][["income", "town", "children"]].tolist() == [7.0, "south", 3]
    assert found.dtypes.tolist() == data.dtypes.tolist()


def test_columns_without_values_and_numbers_beyond_bounds_are_no_obstacle() -> None:
    data = pd.DataFrame(
        {
            "empty": [np.nan] * 6,
            "nothing": pd.Series([None] * 6, dtype=object),
            "huge": [1e308, 1e308, 1.7e308, -1e308, np.inf, np.nan],
            "whole": pd.Series([2**63 - 1] * 6, dtype=np.int64),
            "small": pd.Series([250, 255, 255, 254, 253, 252], dtype=np.uint8),
        }
    )
    for clusters in (1, 3):
        found = clustered_baseline(data, num_clusters=clusters)
        assert found.rows.dtypes.tolist() == data.dtypes.tolist()
        assert found.rows[["empty", "nothing"]].isna().all(axis=None)
        assert np.isfinite(found.rows["huge"].dropna()).all()
        assert found.rows["whole"].tolist() == [2**63 - 1] * clusters


def test_a_categorical_code_is_never_averaged() -> None:
    data = pd.DataFrame({"code": [1, 1, 9, 9, 9], "x": [0.0, 0.1, 0.2, 0.1, 0.0]})
    assert clustered_baseline(data, ["code"], num_clusters=1).rows["code"].tolist() == [9]
    assert clustered_baseline(data, num_clusters=1).rows["code"].tolist() == [6]


def test_large_data_are_sampled_and_the_same_seed_gives_the_same_rows() -> None:
    data, _ = planted(CLUSTERED_ROWS * 3, 3, seed=4, categories=True)
    found = clustered_baseline(data, seed=8)
    assert f"{CLUSTERED_ROWS:,} of {len(data):,} rows drawn with seed 8" in found.how
    assert len(found.rows) == 3
    pd.testing.assert_frame_equal(found.rows, clustered_baseline(data, seed=8).rows)
    other = clustered_baseline(data, seed=9).rows
    assert not other.equals(found.rows)
    # A sample of 3,333 rows a cluster: means within a few of their standard errors.
    np.testing.assert_allclose(
        np.sort(other["x"].to_numpy()), np.sort(found.rows["x"].to_numpy()), atol=6 * 1 / np.sqrt(3000)
    )


def test_threads_change_nothing() -> None:
    from threadpoolctl import threadpool_limits

    data, _ = planted(3000, 4, seed=6, categories=False)
    found = clustered_baseline(data, num_clusters=7)
    with threadpool_limits(limits=1):
        alone = clustered_baseline(data, num_clusters=7)
    pd.testing.assert_frame_equal(found.rows, alone.rows, check_exact=True)


def test_what_cannot_be_clustered_is_said() -> None:
    data = loans(5, 0)
    with pytest.raises(BadData, match="no rows"):
        clustered_baseline(data.iloc[:0])
    with pytest.raises(BadData, match="no features"):
        clustered_baseline(data[[]])
    with pytest.raises(BadData, match="'twon'"):
        clustered_baseline(data, ["twon"])
    with pytest.raises(BadDocument, match="is 0, and must be at least 1"):
        clustered_baseline(data, num_clusters=0)


def test_facts_hold_no_value_of_a_row() -> None:
    data = pd.DataFrame({"name": ["secret"] * 30, "x": range(30)})
    facts = clustered_baseline(data, num_clusters=2).facts()
    assert "secret" not in json.dumps(facts)
    assert facts["rows"] == 2


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 25), st.integers(0, 3), st.integers(0, 3), st.integers(1, 6), st.integers(0, 2**32))
def test_a_partition_is_one_that_no_step_improves(
    rows: int, numeric: int, others: int, clusters: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    if numeric + others == 0:
        numeric = 1
    # Few values, so that rows are alike and categories tie.
    encoded = Encoded(rng.integers(0, 3, (rows, numeric)).astype(np.float64), rng.integers(0, 3, (rows, others)))
    clusters = min(clusters, encoded.distinct())
    found = partition(encoded, clusters, rng)
    assert sorted(set(found.labels)) == list(range(clusters))
    weight = 0.5 if numeric else 1.0
    cost = 0.0
    for place in range(rows):
        costs = [
            sum((encoded.numbers[place, one] - found.centres.numbers[centre, one]) ** 2 for one in range(numeric))
            + weight * sum(encoded.codes[place, one] != found.centres.codes[centre, one] for one in range(others))
            for centre in range(clusters)
        ]
        np.testing.assert_allclose(distances(encoded, found.centres)[place], costs)
        assert costs[found.labels[place]] <= min(costs) + 1e-9
        cost += costs[found.labels[place]]
    assert found.cost == pytest.approx(cost)
    for centre in range(clusters):
        members = found.labels == centre
        np.testing.assert_allclose(found.centres.numbers[centre], encoded.numbers[members].mean(axis=0), atol=1e-9)
        for one in range(others):
            counts = np.bincount(encoded.codes[members, one], minlength=3)
            assert counts[found.centres.codes[centre, one]] == counts.max()


def test_k_prototypes_are_as_close_as_those_of_a_library() -> None:
    kprototypes = pytest.importorskip("kmodes.kprototypes")
    ratios = []
    for seed in range(3):
        data, _ = planted(300, 4, seed, categories=True)
        rows = encode(data, ())
        table = np.empty((300, 6), dtype=object)
        table[:, :3], table[:, 3:] = rows.numbers, rows.codes
        for clusters in (2, 4, 6):
            peer = kprototypes.KPrototypes(clusters, init="Huang", n_init=4, gamma=rows.weight, random_state=seed)
            cost = peer.fit(table, categorical=[3, 4, 5]).cost_
            ratios.append(partition(rows, clusters, np.random.default_rng(seed)).cost / cost)
    # Where there are more clusters than groups, either may end in a worse optimum.
    assert max(ratios) <= 1.05
    assert np.mean(ratios) <= 1.01


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30))
def test_prediction_strength_counts_pairs(pairs: list[tuple[int, int]]) -> None:
    ranks = {one: place for place, one in enumerate(sorted({own for own, _ in pairs}))}
    own = np.array([ranks[one] for one, _ in pairs])
    told = np.array([one for _, one in pairs])
    worst = 1.0
    for cluster in set(own):
        members = np.flatnonzero(own == cluster)
        both = [told[i] == told[j] for i in members for j in members if i != j]
        worst = min(worst, sum(both) / len(both) if both else 0.0)
    assert prediction_strength(own, told) == pytest.approx(worst)


def test_a_cluster_has_at_least_twenty_rows_to_be_counted() -> None:
    data, _ = planted(40, 5, seed=3, categories=False)
    assert count_clusters(encode(data, ()), np.random.default_rng(0)).clusters <= 2


def test_adult_gives_rows_that_its_columns_hold(shared: Path) -> None:
    adult = shared / "data" / "adult" / "adult.data"
    data = pd.read_csv(adult, header=None, skipinitialspace=True, na_values="?").rename(columns=str)
    features = data.drop(columns="14")
    found = clustered_baseline(features, num_clusters=6, seed=2)
    assert len(found.rows) == 6
    assert found.rows.dtypes.tolist() == features.dtypes.tolist()
    for name in features.columns:
        if pd.api.types.is_numeric_dtype(features[name].dtype):
            assert found.rows[name].between(features[name].min(), features[name].max()).all()
        else:
            assert set(found.rows[name].dropna()) <= set(features[name].dropna())
    # The centres differ from each other in what they are about.
    assert len(found.rows.drop_duplicates()) == 6
