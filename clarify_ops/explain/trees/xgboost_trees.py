"""XGBoost's models, read from their own JSON form."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.errors import BadData
from clarify_ops.explain.trees.assembling import MISSING_NAN, Tree, assembled, in_output, set_words
from clarify_ops.explain.trees.cells import as_frame, category_codes, numbers
from clarify_ops.explain.trees.tree_model import Link, NotReadable, TreeModel, library_name

Floats = NDArray[np.float64]
Document = dict[str, Any]

LINKS: dict[str, Link] = {
    "binary:hinge": "unknown",
    "binary:logistic": "logistic",
    "binary:logitraw": "identity",
    "count:poisson": "exp",
    "multi:softmax": "unknown",
    "multi:softprob": "softmax",
    "rank:map": "identity",
    "rank:ndcg": "identity",
    "rank:pairwise": "identity",
    "reg:absoluteerror": "identity",
    "reg:expectileerror": "identity",
    "reg:gamma": "exp",
    "reg:logistic": "logistic",
    "reg:pseudohubererror": "identity",
    "reg:quantileerror": "identity",
    "reg:squarederror": "identity",
    "reg:squaredlogerror": "identity",
    "reg:tweedie": "exp",
    "survival:aft": "exp",
    "survival:cox": "exp",
}
"""By objective; hinge and softmax answer classes."""


def read_xgboost(estimator: Any) -> TreeModel | NotReadable:
    """The trees of a Booster, XGBClassifier, XGBRegressor or XGBRanker, or of their random forests.

    A Booster answers with all of its trees, the others up to the best iteration, as XGBoost itself does.
    """
    what = type(estimator).__name__
    wrapped = hasattr(estimator, "get_booster")
    booster = estimator.get_booster() if wrapped else estimator
    learner = json.loads(booster.save_raw("json"))["learner"]
    gradient = learner["gradient_booster"]
    objective = learner["objective"]["name"]
    if gradient["name"] == "gblinear":
        return NotReadable(what, "its booster is a linear model")
    if objective not in LINKS:
        return NotReadable(what, f"the base score of the objective {objective} is in an unknown unit")
    settings = learner["learner_model_param"]
    outputs, columns = (
        max(int(settings["num_class"]), int(settings.get("num_target", 1)), 1),
        int(settings["num_feature"]),
    )
    # DART keeps its trees one level deeper, and a weight for each.
    model = gradient["gbtree"]["model"] if gradient["name"] == "dart" else gradient["model"]
    weights = gradient.get("weight_drop") or [1.0] * len(model["trees"])
    last = (
        int(learner["attributes"]["best_iteration"]) + 1 if wrapped and "best_iteration" in learner["attributes"] else 0
    )
    used = model["iteration_indptr"][last] if last else len(model["trees"])
    trees = [
        _tree(tree, weight, group, outputs)
        for tree, weight, group in zip(model["trees"][:used], weights[:used], model["tree_info"][:used], strict=True)
    ]
    link = LINKS[objective]
    ensemble = assembled(
        trees,
        columns=columns,
        base=_base(settings["base_score"], link, outputs),
        rounding="float32",
        unit=_unit(link, objective),
        library=library_name("xgboost"),
    )
    return TreeModel(
        ensemble=ensemble,
        link=link,
        two_columns=outputs == 1 and hasattr(estimator, "predict_proba"),
        encode=XGBoostColumns(columns, _categories(model), _missing(estimator)),
        players=np.arange(columns),
        features=tuple(learner["feature_names"]) or tuple(f"f{column}" for column in range(columns)),
        estimator=what,
    )


@dataclass(frozen=True)
class PackedNames:
    """Names of categories that are not all ASCII, as XGBoost keeps them.

    XGBoost 3.2 cuts the bytes of the names at the counts of their characters, so that they cannot be told apart.

    Attributes:
        text: Names one after the other.
        bounds: Where they start and end.
    """

    text: bytes
    bounds: tuple[int, ...]

    def if_they_are(self, column: pd.Series) -> pd.Index:
        """The categories of a column, if these are they in the same order; otherwise it is refused."""
        own = column.cat.categories
        text = "".join(map(str, own)).encode()
        for lengths in ([len(str(name)) for name in own], [len(str(name).encode()) for name in own]):
            bounds = (0, *accumulate(lengths))
            if (text[: bounds[-1]], bounds) == (self.text, self.bounds):
                return own
        raise BadData(
            f"The column {str(column.name)!r} has other categories than at training, or has them in another order.",
            "Give it the dtype of training: XGBoost does not keep names that are not ASCII apart.",
        )


Categories = Sequence[str] | Sequence[int] | PackedNames


@dataclass(frozen=True)
class XGBoostColumns:
    """Columns as XGBoost takes them from a DataFrame.

    Attributes:
        columns: How many there are.
        categories: Of columns of pandas' category dtype, by position, as they were at training. Models of XGBoost below
            3.1 do not keep them: then the codes are the rows' own.
        missing: A number that means missing, besides NaN.
    """

    columns: int
    categories: Mapping[int, Categories]
    missing: float

    def __call__(self, given: Any) -> Floats:
        """(rows, columns)."""
        # A cell that a sparse matrix does not hold is missing to XGBoost, and zero to everybody else.
        frame = as_frame(given, self.columns, absent=np.nan)
        categorical = any(isinstance(dtype, pd.CategoricalDtype) for dtype in frame.dtypes)
        matrix = numbers(frame, self._codes if categorical or self.categories else None)
        return np.where(matrix.astype(np.float32) == np.float32(self.missing), np.nan, matrix)

    def _codes(self, position: int, column: pd.Series) -> Floats | None:
        known = self.categories.get(position)
        if not isinstance(column.dtype, pd.CategoricalDtype):
            if known is None:
                return None
            raise BadData(
                f"The column {str(column.name)!r} was categorical when the model was fitted, and is not here.",
                "Give it pandas' category dtype.",
            )
        if known is None:
            return category_codes(column, column.cat.categories)
        codes = category_codes(column, known.if_they_are(column) if isinstance(known, PackedNames) else known)
        if (strange := column.notna() & np.isnan(codes)).any():
            # XGBoost refuses it as well, or takes it for another one.
            raise BadData(
                f"The column {str(column.name)!r} holds {column[strange].iloc[0]!r}, which it did not at training.",
                "Make it a missing value.",
            )
        return codes


def _missing(estimator: Any) -> float:
    missing = getattr(estimator, "missing", None)
    return np.nan if missing is None else float(missing)


def _categories(model: Document) -> dict[int, Categories]:
    found: dict[int, Categories] = {}
    for position, column in enumerate(model.get("cats", {}).get("enc", [])):
        values = column["values"]
        if "offsets" not in column:
            found[position] = values
        elif values:
            text = np.array(values, dtype=np.int64).astype(np.uint8).tobytes()
            bounds = tuple(column["offsets"])
            apart = text.isascii()
            names = [text[start:stop].decode() for start, stop in pairwise(bounds)] if apart else []
            found[position] = names if apart else PackedNames(text, bounds)
    return found


def _base(text: str, link: Link, outputs: int) -> Floats:
    """(outputs,) where the sums start: the base score, which is in the unit of the answer, through the link backwards."""
    score = np.broadcast_to(np.array(json.loads(text), dtype=np.float32).astype(np.float64), outputs)
    if link == "logistic":
        return np.log(score) - np.log1p(-score)
    return np.log(score) if link == "exp" else score


def _unit(link: Link, objective: str) -> str:
    if link == "logistic" or objective == "binary:logitraw":
        return "log-odds"
    if link == "exp":
        return "logarithm of the value"
    return "value" if objective.startswith("reg:") else "score"


def _tree(tree: Document, weight: float, group: int, outputs: int) -> Tree:
    left, right = (np.array(tree[f"{side}_children"], dtype=np.int64) for side in ("left", "right"))
    condition = np.array(tree["split_conditions"], dtype=np.float32)
    default_left = np.array(tree["default_left"], dtype=np.bool_)
    leaf = left < 0
    width = int(tree["tree_param"]["size_leaf_vector"])
    if width > 1:
        values = _vectors(tree, leaf, right, width)
    else:
        values = in_output(np.where(leaf, condition, 0).astype(np.float64), group, outputs)
    sets = _sets(tree)
    # XGBoost sends the members of a set to the right, and an ensemble to the left.
    swapped = np.zeros(len(left), dtype=np.bool_)
    swapped[list(sets)] = True
    nodes = _reachable(np.where(leaf, -1, left), np.where(leaf, -1, right))
    renumbered = np.full(len(left), -1)
    renumbered[nodes] = np.arange(len(nodes))
    to_left, to_right = np.where(swapped, right, left), np.where(swapped, left, right)
    return Tree(
        left=np.where(leaf, -1, renumbered[to_left])[nodes],
        right=np.where(leaf, -1, renumbered[to_right])[nodes],
        column=np.array(tree["split_indices"], dtype=np.int64)[nodes],
        # XGBoost sends to the left what is less than the threshold, in single precision.
        threshold=np.nextafter(condition, np.float32(-np.inf)).astype(np.float64)[nodes],
        missing_left=(default_left ^ swapped)[nodes],
        missing=MISSING_NAN,
        cover=np.array(tree["sum_hessian"], dtype=np.float64)[nodes],
        values=values[nodes] * weight,
        sets={int(renumbered[node]): words for node, words in sets.items() if renumbered[node] >= 0},
    )


def _vectors(tree: Document, leaf: NDArray[np.bool_], right: NDArray[np.int64], width: int) -> Floats:
    """(nodes, outputs) of a tree whose leaves have a value for every output."""
    if "leaf_weights" not in tree:
        return np.array(tree["base_weights"], dtype=np.float64).reshape(-1, width)
    # A leaf's place in the list stands where other nodes name their right child.
    weights = np.array(tree["leaf_weights"], dtype=np.float64).reshape(-1, width)
    values = np.zeros((len(leaf), width))
    values[leaf] = weights[right[leaf]]
    return values


def _sets(tree: Document) -> dict[int, NDArray[np.uint32]]:
    members = np.array(tree["categories"], dtype=np.int64)
    return {
        node: set_words(members[start : start + size])
        for node, start, size in zip(
            tree["categories_nodes"], tree["categories_segments"], tree["categories_sizes"], strict=True
        )
    }


def _reachable(left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
    """The nodes that hang on the root; pruning leaves others behind."""
    seen = np.zeros(len(left), dtype=np.bool_)
    level = np.zeros(1, dtype=np.int64)
    while len(level):
        seen[level] = True
        below = np.concatenate([left[level], right[level]])
        level = below[below >= 0]
    return np.flatnonzero(seen)
