"""CatBoost's models, read from their own JSON form."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clarify_ops.explain.trees.assembling import MISSING_NAN, Tree, assembled
from clarify_ops.explain.trees.cells import as_frame, numbers
from clarify_ops.explain.trees.tree_model import Link, NotReadable, TreeModel, library_name

Floats = NDArray[np.float64]
Document = dict[str, Any]

UNITS: dict[Link, str] = {"identity": "value", "exp": "logarithm of the value", "logistic": "log-odds"}
CATEGORICAL_SPLITS = {
    "OneHotFeature": "it tests hashes of categories for equality",
    "OnlineCtr": "it splits by statistics of the target over categories (CTR), which are not columns of the data",
}
HINT = "the library's own ShapValues see them"


def read_catboost(estimator: Any) -> TreeModel | NotReadable:
    """The trees of a CatBoost, CatBoostClassifier, CatBoostRegressor or CatBoostRanker, where all splits are numeric.

    Categorical columns that no split uses do no harm; one-hot and CTR splits, text and embeddings are not readable.
    """
    what = type(estimator).__name__
    if estimator.get_text_feature_indices() or estimator.get_embedding_feature_indices():
        return NotReadable(what, f"it calculates columns from text or embeddings; {HINT}")
    document = _document(estimator)
    kinds = {split["split_type"] for split in _splits(document)}
    for kind in sorted(kinds - {"FloatFeature"}):
        return NotReadable(what, f"{CATEGORICAL_SPLITS.get(kind, f'it has splits of the kind {kind}')}; {HINT}")
    scale, bias = document["scale_and_bias"]
    base = np.atleast_1d(np.array(bias, dtype=np.float64))
    loss = document["model_info"]["params"]["loss_function"]["type"]
    link = _link(estimator, loss)
    features = document["features_info"]
    columns = 1 + max(one["flat_feature_index"] for group in features.values() for one in group)
    floats = {one["feature_index"]: one for one in features.get("float_features", [])}
    ensemble = assembled(
        [
            _tree(tree, floats, len(base), scale)
            for tree in document.get("oblivious_trees") or document.get("trees", [])
        ],
        columns=columns,
        base=base,
        rounding="float32",
        unit=catboost_unit(estimator, loss),
        library=library_name("catboost"),
    )
    numeric = frozenset(int(one["flat_feature_index"]) for one in floats.values())
    return TreeModel(
        ensemble=ensemble,
        link=link,
        two_columns=len(base) == 1 and hasattr(estimator, "predict_proba"),
        encode=CatBoostColumns(columns, numeric),
        players=np.arange(columns),
        features=tuple(estimator.feature_names_),
        estimator=what,
    )


@dataclass(frozen=True)
class CatBoostColumns:
    """Columns as CatBoost takes them from a DataFrame.

    Attributes:
        columns: How many there are.
        numeric: Positions of those that splits may use; the others are NaN.
    """

    columns: int
    numeric: frozenset[int]

    def __call__(self, given: Any) -> Floats:
        """(rows, columns)."""
        frame = as_frame(given, self.columns)
        if len(self.numeric) == self.columns:
            return numbers(frame)
        nothing = np.full(len(frame), np.nan)
        return numbers(frame, lambda position, _: None if position in self.numeric else nothing)


def _document(estimator: Any) -> Document:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.json"
        estimator.save_model(str(file), format="json")
        document: Document = json.loads(file.read_text(encoding="utf-8"))
    return document


def _splits(document: Document) -> Iterator[Document]:
    for tree in document.get("oblivious_trees") or ():
        yield from tree["splits"] or ()
    waiting = list(document.get("trees", []))
    while waiting:
        node = waiting.pop()
        if "split" in node:
            yield node["split"]
            waiting += [node["left"], node["right"]]


def catboost_unit(estimator: Any, loss: str) -> str:
    """What the trees of a CatBoost model add up to.

    Args:
        estimator: Fitted.
        loss: Its loss function; parameters after a colon do not matter.
    """
    if type(estimator).__name__ == "CatBoostRanker":
        return "score"
    return UNITS.get(_link(estimator, loss.partition(":")[0]), "score")


def _link(estimator: Any, loss: str) -> Link:
    if hasattr(estimator, "predict_proba"):
        return "softmax" if loss == "MultiClass" else "logistic"
    if type(estimator).__name__ == "CatBoostRegressor":
        if loss in {"Poisson", "Tweedie"}:
            return "exp"
        if loss == "RMSEWithUncertainty":
            # One output is answered as it is, the other as the square of its exponential.
            return "unknown"
    return "identity"


@dataclass(frozen=True, eq=False)
class _Nodes:
    """Nodes of one tree, with the number of the split that each takes among `splits`; 0 at a leaf."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    splits: Sequence[Document]
    taken: NDArray[np.int64]
    cover: Floats
    values: Floats


def _tree(tree: Document, floats: Mapping[int, Document], outputs: int, scale: float) -> Tree:
    nodes = _oblivious(tree, outputs) if "leaf_values" in tree else _nested(tree, outputs)
    tested = [floats[split["float_feature_index"]] for split in nodes.splits]
    column = np.array([one["flat_feature_index"] for one in tested] or [-1], dtype=np.int64)
    border = np.array([split["border"] for split in nodes.splits] or [np.nan])
    # A missing value is less than every border, or greater; where training had none it compares as neither, and so to
    # the left.
    left = np.array([one["nan_value_treatment"] != "AsTrue" for one in tested] or [False])
    return Tree(
        left=nodes.left,
        right=nodes.right,
        column=column[nodes.taken],
        threshold=border[nodes.taken],
        missing_left=left[nodes.taken],
        missing=MISSING_NAN,
        cover=nodes.cover,
        values=nodes.values * scale,
    )


def _oblivious(tree: Document, outputs: int) -> _Nodes:
    """All nodes of a level take the same split; the last split is the root's, and node k has children 2k+1 and 2k+2."""
    splits = tree["splits"] or []
    depth = len(splits)
    inner = 2**depth - 1
    number = np.arange(inner)
    cover = [np.array(tree["leaf_weights"], dtype=np.float64)]
    for _ in range(depth):
        cover.insert(0, cover[0].reshape(-1, 2).sum(axis=1))
    leaves = np.array(tree["leaf_values"], dtype=np.float64).reshape(-1, outputs)
    at_leaves = np.full(inner + 1, -1)
    return _Nodes(
        left=np.concatenate([2 * number + 1, at_leaves]),
        right=np.concatenate([2 * number + 2, at_leaves]),
        splits=splits,
        taken=np.concatenate([np.repeat(np.arange(depth)[::-1], 2 ** np.arange(depth)), np.zeros(inner + 1)]).astype(
            np.int64
        ),
        cover=np.concatenate(cover),
        values=np.concatenate([np.zeros((inner, outputs)), leaves]),
    )


def _nested(tree: Document, outputs: int) -> _Nodes:
    """Nodes hold their children; they are numbered so that parents come before them."""
    found: list[Document] = [tree]
    left, right, taken = [-1], [-1], [0]
    splits: list[Document] = []
    node = 0
    while node < len(found):
        one = found[node]
        if "split" in one:
            left[node], right[node], taken[node] = len(found), len(found) + 1, len(splits)
            splits.append(one["split"])
            for child in (one["left"], one["right"]):
                found.append(child)
                left.append(-1)
                right.append(-1)
                taken.append(0)
        node += 1
    cover = np.array([one.get("weight", 0.0) for one in found], dtype=np.float64)
    values = np.zeros((len(found), outputs))
    for node in reversed(range(len(found))):
        if left[node] < 0:
            values[node] = found[node]["value"]
        else:
            cover[node] = cover[left[node]] + cover[right[node]]
    return _Nodes(np.array(left), np.array(right), splits, np.array(taken), cover, values)
