"""A fitted tree model as explainers see it: its trees, how rows reach them, and how their sum becomes an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from clarify_ops.explain.trees.ensemble import Ensemble

Floats = NDArray[np.float64]
Encode = Callable[[Any], Floats]
"""Rows as the estimator takes them, DataFrame, array or scipy sparse matrix -> (rows, columns), what the trees look at; NaN is
missing."""

Link = Literal["identity", "logistic", "softmax", "exp", "softplus", "signed square", "unknown"]
"""From the sum of the trees to the model's own answer.

- identity: it is the answer.
- logistic: 1 / (1 + exp(-sum)), each output by itself; the sum is a log-odds.
- softmax: over the outputs; no output is a log-odds.
- exp, softplus, signed square: exp(sum), log(1 + exp(sum)), sign(sum) sum^2.
- unknown: the library says what, but not here; the sum can be explained, the answer cannot be told from it.
"""


@dataclass(frozen=True)
class NotReadable:
    """Why the trees of a model are not seen.

    Attributes:
        what: The class of the estimator.
        reason: A clause that ends "... cannot be read as trees, because".
    """

    what: str
    reason: str

    def __str__(self) -> str:
        return f"{self.what} cannot be read as trees: {self.reason}."


@dataclass(frozen=True, eq=False)
class TreeModel:
    """Trees read from a fitted estimator.

    Shapley values are exact for `ensemble`, whose outputs are sums over trees. What the estimator itself answers is
    `answers` of these sums; for `link` identity they are the same thing.

    Attributes:
        ensemble: The trees.
        link: From the sums to the answer.
        two_columns: Whether the one output of `ensemble` is answered as two columns, of which it is the second and the
            first is one minus it.
        encode: From the user's rows to the columns of the trees, row by row. Refuses with BadData what does not fit.
        players: (columns,) position, among the user's columns, of the one that each column of the trees comes from; -1
            where it comes from none.
        features: The user's columns; names are "f0", "f1", ... where the estimator does not know them.
        estimator: Name of the class that was read.
    """

    ensemble: Ensemble
    link: Link
    two_columns: bool
    encode: Encode
    players: NDArray[np.int64]
    features: tuple[str, ...]
    estimator: str

    @property
    def additive(self) -> bool:
        """Whether the model's own answer is the sum of the trees, so that their Shapley values are the answer's."""
        return self.link == "identity"

    def answers(self, sums: Floats) -> Floats:
        """(rows, answers): what the estimator's predict_proba, or else its predict, says where the trees add up to `sums`.

        Args:
            sums: (rows, outputs).

        Raises:
            ValueError: The link is unknown.
        """
        linked = linked_outputs(self.link, sums)
        return np.column_stack([1 - linked[:, 0], linked[:, 0]]) if self.two_columns else linked


def feature_names(estimator: object, columns: int) -> tuple[str, ...]:
    """The names a scikit-learn estimator was fitted with, or f0, f1, ..."""
    known = getattr(estimator, "feature_names_in_", None)
    return tuple(f"f{column}" for column in range(columns)) if known is None else tuple(str(name) for name in known)


def library_name(module: str) -> str:
    """Name and version of a library; it is imported already, or there would be no estimator of it."""
    return f"{module.replace('sklearn', 'scikit-learn')} {import_module(module).__version__}"


def linked_outputs(link: Link, sums: Floats) -> Floats:
    """The link, applied to (rows, outputs).

    >>> linked_outputs("logistic", np.array([[0.0]]))
    array([[0.5]])
    """
    if link == "identity":
        return sums
    if link == "logistic":
        # Neither branch of exp overflows.
        small = np.exp(-np.abs(sums))
        return np.where(sums >= 0, 1 / (1 + small), small / (1 + small))
    if link == "softmax":
        shares = np.exp(sums - sums.max(axis=1, keepdims=True))
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))
    if link == "exp":
        return np.exp(sums)
    if link == "softplus":
        return np.logaddexp(0.0, sums)
    if link == "signed square":
        return np.sign(sums) * sums**2
    raise ValueError("The answer cannot be told from the sum of the trees.")
