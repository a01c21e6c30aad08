"""LightGBM's models, read from their own text form."""

from __future__ import annotations

import json
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.errors import BadData
from clarify_ops.explain.trees.assembling import MISSING_NAN, MISSING_NOTHING, MISSING_ZERO, Tree, assembled, in_output
from clarify_ops.explain.trees.cells import as_frame, category_codes, numbers
from clarify_ops.explain.trees.tree_model import Link, NotReadable, TreeModel, library_name

Floats = NDArray[np.float64]
Fields = dict[str, str]

# Bits of a split's decision_type.
CATEGORICAL, DEFAULT_LEFT, MISSING_SHIFT = 1, 2, 2
# LightGBM's missing types None, Zero and NaN as the codes of an ensemble.
MISSING_CODES = np.array([MISSING_NOTHING, MISSING_ZERO, MISSING_NAN], dtype=np.int8)

ZERO = float(np.float32(1e-35))
LOGISTIC = {"binary", "multiclassova", "cross_entropy"}
LINKS: dict[str, Link] = {
    "binary": "logistic",
    "multiclassova": "logistic",
    "cross_entropy": "logistic",
    "multiclass": "softmax",
    "poisson": "exp",
    "gamma": "exp",
    "tweedie": "exp",
    "cross_entropy_lambda": "softplus",
}
"""Every other objective answers the sum itself."""


def read_lightgbm(estimator: Any) -> TreeModel | NotReadable:
    """The trees of a Booster, LGBMClassifier, LGBMRegressor or LGBMRanker, up to its best iteration.

    Values of objectives with a sigmoid parameter are multiplied by it, so that the outputs are log-odds.
    """
    what = type(estimator).__name__
    booster = getattr(estimator, "booster_", estimator)
    text = booster.model_to_string()
    head, *blocks = text.partition("\nend of trees\n")[0].split("\nTree=")
    header = _fields(head)
    trees = [_fields(block) for block in blocks]
    if any(tree.get("is_linear", "0") == "1" for tree in trees):
        return NotReadable(what, "its leaves are linear models, not constants")
    objective, settings = _objective(header.get("objective", ""))
    outputs = int(header["num_tree_per_iteration"])
    scale = settings.get("sigmoid", 1.0) if objective in LOGISTIC else 1.0
    # A random forest's sum is divided by its iterations.
    share = scale / max(1, len(trees) // outputs) if "average_output" in header else scale
    columns = int(header["max_feature_idx"]) + 1
    link: Link = "signed square" if "sqrt" in settings else LINKS.get(objective, "identity")
    ensemble = assembled(
        [_tree(tree, number % outputs, outputs, share) for number, tree in enumerate(trees)],
        columns=columns,
        base=np.zeros(outputs),
        rounding="double",
        unit=_unit(link, objective),
        library=library_name("lightgbm"),
    )
    return TreeModel(
        ensemble=ensemble,
        link=link,
        two_columns=objective == "binary" and hasattr(estimator, "predict_proba"),
        encode=LightGBMColumns(columns, _pandas_categories(text)),
        players=np.arange(columns),
        features=tuple(booster.feature_name()),
        estimator=what,
    )


@dataclass(frozen=True)
class LightGBMColumns:
    """Columns as LightGBM takes them from a DataFrame.

    Attributes:
        columns: How many there are.
        categories: Of the columns of pandas' category dtype, first to last, as they were at training.
    """

    columns: int
    categories: Sequence[Sequence[Hashable]]

    def __call__(self, given: Any) -> Floats:
        """(rows, columns); a category is its position in the list of training."""
        frame = as_frame(given, self.columns)
        categorical = [index for index, kind in enumerate(frame.dtypes) if isinstance(kind, pd.CategoricalDtype)]
        if len(categorical) != len(self.categories):
            raise BadData(
                f"The rows have {len(categorical)} categorical columns, and the model was fitted on "
                f"{len(self.categories)}.",
                "Give the columns the dtypes of training.",
            )
        known = dict(zip(categorical, self.categories, strict=True))
        matrix = numbers(
            frame, None if not known else lambda at, column: category_codes(column, known[at]) if at in known else None
        )
        # What LightGBM takes for zero when it predicts.
        return np.where(np.abs(matrix) <= ZERO, 0.0, matrix)


def _fields(block: str) -> Fields:
    """Lines of name=value; a line without a value is a flag."""
    found: Fields = {}
    for line in block.splitlines():
        name, _, value = line.partition("=")
        found[name] = value
    return found


def _objective(text: str) -> tuple[str, dict[str, float]]:
    """The name, and settings such as sigmoid; sqrt has no value."""
    name, *rest = text.split() or [""]
    settings = {}
    for part in rest:
        key, _, value = part.partition(":")
        settings[key] = float(value or 1)
    return name, settings


def _unit(link: Link, objective: str) -> str:
    if link == "logistic":
        return "log-odds"
    if link == "exp":
        return "logarithm of the value"
    if link == "identity" and "rank" not in objective:
        return "value"
    return "score"


def _pandas_categories(text: str) -> Sequence[Sequence[Hashable]]:
    _, _, found = text.rpartition("\npandas_categorical:")
    return json.loads(found.strip() or "null") or ()


def _tree(fields: Fields, output: int, outputs: int, share: float) -> Tree:
    """Splits come first, then leaves."""
    splits = int(fields["num_leaves"]) - 1
    values, counts = _numbers(fields, "leaf_value"), _numbers(fields, "leaf_count")
    leaves = len(values)
    kinds = _with_leaves(_numbers(fields, "decision_type"), leaves, 0).astype(np.int64)
    threshold = _with_leaves(_numbers(fields, "threshold"), leaves, np.nan)
    categorical = (kinds & CATEGORICAL).astype(np.bool_)
    return Tree(
        left=_with_leaves(_children(fields, "left_child", splits), leaves, -1),
        right=_with_leaves(_children(fields, "right_child", splits), leaves, -1),
        column=_with_leaves(_numbers(fields, "split_feature"), leaves, -1),
        threshold=threshold,
        # At a categorical split a missing value is not a member, whatever the other bits say.
        missing_left=((kinds & DEFAULT_LEFT) > 0) & ~categorical,
        missing=np.where(categorical, MISSING_NAN, MISSING_CODES[kinds >> MISSING_SHIFT]),
        cover=np.concatenate([_numbers(fields, "internal_count"), counts]),
        values=in_output(np.concatenate([np.zeros(splits), values * share]), output, outputs),
        sets=_sets(fields, np.flatnonzero(categorical), threshold),
    )


def _sets(fields: Fields, nodes: NDArray[np.intp], threshold: Floats) -> dict[int, NDArray[np.uint32]]:
    """The categories that go to the left; the threshold of a categorical split is the number of its set."""
    if not len(nodes):
        return {}
    bounds = _numbers(fields, "cat_boundaries").astype(np.int64)
    words = _numbers(fields, "cat_threshold").astype(np.uint32)
    numbered = threshold[nodes].astype(np.int64)
    return {int(node): words[bounds[one] : bounds[one + 1]] for node, one in zip(nodes, numbered, strict=True)}


def _numbers(fields: Fields, name: str) -> Floats:
    return np.array(fields[name].split(), dtype=np.float64)


def _children(fields: Fields, name: str, splits: int) -> Floats:
    """Numbers of nodes: a leaf is given as one's complement of its number among the leaves."""
    given = _numbers(fields, name)
    return np.where(given < 0, splits - 1 - given, given)


def _with_leaves(of_splits: Floats, leaves: int, fill: float) -> Floats:
    return np.concatenate([of_splits, np.full(leaves, fill)])
