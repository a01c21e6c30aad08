"""How the nearest neighbours of a row vote, exactly as scikit-learn's KNeighborsClassifier(n_neighbors=k) counts them.

Among equally distant neighbours the classifier takes those that its own search meets first, so a vote that hangs on them
is left to the same search: a k-d tree, or every distance where there are more than 15 columns or hardly any rows. All
other votes are a matter of distances alone, and `vote_search` finds them faster.
"""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from clarify_ops.bias.vote_search import Trees

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Rows = NDArray[np.intp]

# Costs count coordinates compared by `vote_search`, some 0.4 ns each on one core of 2026. In that unit: a coordinate in
# scikit-learn's tree; a pair of rows in a product of matrices, and each of their coordinates; a pair of rows without.
_TREE_PRICE = 8
_PAIR, _PRODUCT, _ODD_PAIR = 5.0, 0.125, 60.0
# So much is asked of scikit-learn alone, in about a second: less than it takes to compile the search when first used.
_LITTLE = 2_500_000_000
# Costs are measured on so many rows, evenly spread.
_PILOT = 256
# scikit-learn compares all with all in blocks of so many rows.
_BLOCK = 256
_LEAF = 30


@dataclass(frozen=True)
class Electorate:
    """Who votes on whom.

    Attributes:
        features: (rows, features) numbers or truth values, as they came.
        matrix: The same as floats, in C order.
        known: Positions of the rows that vote.
        outcome: (known,) their votes.
        asked: Positions of the rows voted on.
        neighbours: How many neighbours decide.
    """

    features: pd.DataFrame
    matrix: Floats
    known: Rows
    outcome: Bools
    asked: Rows
    neighbours: int

    @cached_property
    def largest(self) -> float:
        """The largest square of a row's length; infinite where distances may overflow."""
        with np.errstate(over="ignore"):
            return float(np.einsum("ij,ij->i", self.matrix, self.matrix).max())

    @cached_property
    def exact(self) -> bool:
        """Whether all squared distances are whole numbers that floats hold, in whatever order they are summed."""
        return self.largest < 2**50 and bool((self.matrix == np.rint(self.matrix)).all())


def nearby(points: Floats) -> Rows:
    """(points,) an order in which neighbours follow one another: they touch the same leaves, and find them in the cache."""
    from sklearn.neighbors import KDTree

    return np.asarray(KDTree(points, leaf_size=_LEAF).get_arrays()[1])


class Search(Protocol):
    """A way to have rows voted on."""

    @property
    def cost(self) -> float:
        """Coordinates compared for one row."""
        ...

    def votes(self, rows: Rows, *, sample: bool) -> Bools:
        """(rows,) bool, whether most neighbours are positive; `rows` are positions in `Electorate.asked`, rising.

        A sample need not be asked in the blocks in which all rows would be.
        """
        ...


def search(electorate: Electorate, rows: Rows) -> Search:
    """The cheapest way to have rows voted on; all give the same votes.

    Args:
        electorate: Who votes.
        rows: Positions in `electorate.asked`, rising; costs are measured on some of them.
    """
    outcome, k = electorate.outcome, electorate.neighbours
    if outcome.all() or not outcome.any():
        return _Unanimous(vote=bool(outcome[0]))
    pilot = rows[np.linspace(0, len(rows) - 1, min(len(rows), _PILOT)).astype(np.intp)]
    # The rule by which KNeighborsClassifier's algorithm="auto" chooses, as its user guide has it.
    brute = electorate.matrix.shape[1] > 15 or k >= len(electorate.known) // 2
    plain = _Brute(electorate) if brute else _Tree(electorate, pilot)
    # With infinite distances nothing is nearest, and what the classifier makes of that is its own.
    if k == 1 or not np.isfinite(8 * electorate.largest) or plain.cost * len(rows) <= _LITTLE:
        return plain
    if min(int(outcome.sum()), int((~outcome).sum())) <= k // 2:
        return _Unanimous(vote=bool(outcome.sum() > k // 2))
    quick = _Quick(electorate, plain, pilot)
    return quick if quick.cost < plain.cost else plain


@dataclass(frozen=True)
class _Unanimous:
    vote: bool
    cost: float = 0.0

    def votes(self, rows: Rows, *, sample: bool) -> Bools:  # noqa: ARG002 - a Search
        return np.full(len(rows), self.vote)


class _Tree:
    """scikit-learn's k-d tree: what it finds for a row depends on that row alone."""

    def __init__(self, electorate: Electorate, pilot: Rows) -> None:
        from sklearn.neighbors import KDTree

        self._electorate = electorate
        self._tree = KDTree(electorate.matrix[electorate.known], leaf_size=_LEAF)
        self.votes(pilot, sample=True)
        _, leaves, splits = self._tree.get_tree_stats()
        points, columns = electorate.matrix[electorate.known].shape
        a_leaf = points / max(1, int(self._tree.get_arrays()[2]["is_leaf"].sum()))
        self.cost = _TREE_PRICE * columns * (leaves * a_leaf + 2 * splits) / len(pilot)

    def votes(self, rows: Rows, *, sample: bool) -> Bools:  # noqa: ARG002 - a Search
        electorate = self._electorate
        asked = electorate.matrix[electorate.asked[rows]]
        order = nearby(asked)
        found = self._tree.query(asked[order], electorate.neighbours, return_distance=False)
        votes = np.empty(len(rows), dtype=bool)
        votes[order] = electorate.outcome[found].sum(axis=1) * 2 > electorate.neighbours
        return votes


class _Brute:
    """All distances, by the classifier itself and on the columns as they came: their kind decides how it orders equals."""

    def __init__(self, electorate: Electorate) -> None:
        from sklearn.neighbors import KNeighborsClassifier

        self._electorate = electorate
        given = electorate.features
        if not all(isinstance(kind, np.dtype) for kind in given.dtypes):
            given = pd.DataFrame(electorate.matrix)
        self._given = given.set_axis(range(given.shape[1]), axis=1)
        columns = electorate.matrix.shape[1]
        # Columns that are not floats together are not multiplied in blocks but compared row by row.
        price = _PAIR + _PRODUCT * columns if given.iloc[:1].to_numpy().dtype.kind == "f" else _ODD_PAIR
        self.cost = float(len(electorate.known) * price)
        classifier = KNeighborsClassifier(n_neighbors=electorate.neighbours, algorithm="brute")
        self._classifier = classifier.fit(self._given.iloc[electorate.known], electorate.outcome)

    def votes(self, rows: Rows, *, sample: bool) -> Bools:
        from threadpoolctl import threadpool_limits

        wanted = rows
        if not sample and not self._electorate.exact:
            # A product of matrices is rounded by the place of a row in its block, so whole blocks are asked.
            wanted = np.arange(len(self._electorate.asked))
            wanted = wanted[np.isin(wanted // _BLOCK, np.unique(rows // _BLOCK))]
        # With few rows the classifier divides the neighbours among threads, and then their number orders the equals.
        many = len(wanted) > 4 * _BLOCK * (os.cpu_count() or 1)
        with threadpool_limits(None if many else 1), warnings.catch_warnings():
            found = self._classifier.predict(self._given.iloc[self._electorate.asked[wanted]])
        return np.asarray(found, dtype=bool)[np.searchsorted(wanted, rows)]


class _Quick:
    """Two trees, one of each outcome; votes that hang on the order of equals are asked of the plain search."""

    def __init__(self, electorate: Electorate, plain: _Tree | _Brute, pilot: Rows) -> None:
        from clarify_ops.bias.vote_search import TIED

        self._electorate, self._plain = electorate, plain
        votes, work = self._ask(pilot)
        tied = float((votes == TIED).mean())
        if isinstance(plain, _Brute) and not electorate.exact:
            tied = min(1.0, tied * _BLOCK)
        self.cost = work / len(pilot) + tied * plain.cost

    @cached_property
    def _trees(self) -> Trees:
        from clarify_ops.bias.vote_search import trees

        electorate = self._electorate
        slack = 0.0
        if isinstance(self._plain, _Brute) and not electorate.exact:
            # What |x|^2 + |y|^2 - 2xy may be off by, twice.
            slack = 16 * (electorate.matrix.shape[1] + 4) * float(np.finfo(float).eps) * electorate.largest
        return trees(electorate.matrix[electorate.known], electorate.outcome, slack)

    def _ask(self, rows: Rows) -> tuple[NDArray[np.int8], int]:
        return self._trees.ask(self._electorate.matrix[self._electorate.asked[rows]])

    def votes(self, rows: Rows, *, sample: bool) -> Bools:
        from clarify_ops.bias.vote_search import POSITIVE, TIED

        found, _ = self._ask(rows)
        tied = found == TIED
        votes = np.asarray(found == POSITIVE)
        if tied.any():
            votes[tied] = self._plain.votes(rows[tied], sample=sample)
        return votes
