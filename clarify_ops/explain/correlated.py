"""Shapley values of linear models when what is absent is not replaced, but expected from what is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clarify_ops.errors import BadData, BadDocument
from clarify_ops.explain.coalitions import all_coalitions
from clarify_ops.explain.explanation import Explanation, output_names
from clarify_ops.explain.hybrids import Hybrids
from clarify_ops.explain.linear import LinearModel
from clarify_ops.explain.playing import explained_features

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]

MOST_EXACT = 12
"""Features up to which all their coalitions are projected on."""

ORDER_PAIRS = 256
"""Pairs of orders beyond that, where no number is given."""

LEAST_VARIANCE = 1e-10
"""Share of the largest variance below which a direction counts as one in which the background does not vary."""

OFF_SUPPORT = (
    "{rows} of {all_rows} rows differ from the baseline in directions in which the baseline rows do not vary: what is expected "
    "there follows from the smallest solution and not from data."
)


@dataclass(frozen=True, eq=False)
class Gaussian:
    """What the columns of a linear model are taken to be distributed as.

    Attributes:
        mean: (columns,).
        covariance: (columns, columns).
        support: (columns, rank) orthonormal directions in which they vary.
    """

    mean: Floats
    covariance: Floats
    support: Floats

    @classmethod
    def of(cls, columns: Floats) -> Gaussian:
        """With mean and covariance of (rows, columns)."""
        covariance = np.atleast_2d(np.cov(columns, rowvar=False, bias=True))
        sizes, directions = np.linalg.eigh(covariance)
        return cls(columns.mean(axis=0), covariance, directions[:, sizes > LEAST_VARIANCE * sizes.max(initial=0)])

    @property
    def full_rank(self) -> bool:
        """Whether they vary in every direction."""
        return bool(self.support.shape[1] == len(self.mean))

    def off_support(self, columns: Floats) -> NDArray[np.bool_]:
        """(rows,) whether a row lies where the Gaussian has no density."""
        away = columns - self.mean
        rest = away - away @ self.support @ self.support.T
        return np.asarray(np.abs(rest).max(axis=1, initial=0) > 1e-6 * (1 + np.abs(away).max(axis=1, initial=0)))


def correlated_linear_shap(
    model: LinearModel,
    rows: pd.DataFrame,
    background: pd.DataFrame,
    *,
    seed: int = 0,
    num_samples: int | None = None,
    features_to_explain: Sequence[str] | None = None,
    labels: Sequence[str] | None = None,
) -> Explanation:
    r"""Explains rows by how much knowing a feature moves what is expected of the sum.

    .. math:: v(S) = w^\top E[c \mid c_S] = w^\top \bigl(\mu + \Sigma_{\cdot S} \Sigma_{SS}^{+} (c_S - \mu_S)\bigr)

    The columns are taken to be Gaussian, with the mean and the covariance of the background: a feature that the model does
    not read gets a share of what its relatives say. Categories in columns of their own are no Gaussian, and only their
    first two moments are used. Up to 12 features the projections on all coalitions are averaged, exactly; beyond, those of
    random orders with their reverse, with standard errors.

    Args:
        model: From `read_linear`.
        rows: (rows, features) to explain.
        background: (baseline rows, features), same columns; at least two.
        seed: Fixes the orders.
        num_samples: Coalitions to project on; all orders together have at least one pair. None for 256 pairs.
        features_to_explain: Names of the features that play; the others are always known. None for all.
        labels: Names of the outputs; None for label0, label1, ...

    Raises:
        BadData: The columns of rows and background differ, the background is a single row, or a feature is unknown.
        BadDocument: `num_samples` is below 1, or there are not as many labels as outputs.

    Source: Lundberg and Lee (2017), arXiv:1705.07874; Aas, Jullum and Loland (2021), doi:10.1016/j.artint.2021.103502, for
    the Gaussian.
    """
    if num_samples is not None and num_samples < 1:
        raise BadDocument(f"num_samples is {num_samples}, and must be at least 1.")
    if len(background) == 1:
        raise BadData("One baseline row has no covariance.", "Give more baseline rows, or use linear_shap.")
    explained = explained_features(rows, features_to_explain)
    hybrids = Hybrids(rows, background)
    columns = _dense(model.columns(hybrids.rows(0, len(rows))))
    gaussian = Gaussian.of(_dense(model.columns(hybrids.background(0, len(background)))))
    players = [np.flatnonzero(model.sources == feature) for feature in explained]
    always = np.flatnonzero(~np.isin(model.sources, explained))
    projections = _Projections(gaussian, model.coefficients, always)
    away = columns - gaussian.mean
    if len(players) <= MOST_EXACT and (num_samples is None or num_samples >= 2 ** len(players) - 2):
        values = np.einsum("pok,rk->rpo", _exact(projections, players), away)
        errors, asked = np.zeros_like(values), 2 ** len(players) - 2
    else:
        pairs = ORDER_PAIRS if num_samples is None else max(1, num_samples // (2 * (len(players) - 1)))
        values, errors = _sampled(projections, players, away, pairs, np.random.default_rng(seed % 2**64))
        asked = pairs * 2 * (len(players) - 1)
    expected = model.coefficients @ gaussian.mean + model.intercepts
    off = int(gaussian.off_support(columns).sum())
    return Explanation(
        features=tuple(str(rows.columns[position]) for position in explained),
        outputs=output_names(len(expected), None if labels is None else tuple(labels)),
        values=values,
        standard_errors=errors,
        expected_value=expected,
        base_values=expected + away @ projections.onto(always).T,
        predictions=columns @ model.coefficients.T + model.intercepts,
        exact=np.full(len(rows), not errors.any()),
        coalitions=asked,
        prediction_rows=0,
        prediction_calls=0,
        log_odds=model.unit == "log-odds",
        warnings=(OFF_SUPPORT.format(rows=off, all_rows=len(rows)),) if off else (),
        explainer="linear_shap_correlated",
        unit=model.unit,
        background=f"mean and covariance of {len(background)} baseline rows, observational (Gaussian)",
    )


def _dense(columns: object) -> Floats:
    return np.asarray(columns.toarray() if hasattr(columns, "toarray") else columns, dtype=np.float64)


class _Projections:
    """Expectations of the sum, as weights of the columns that are known.

    Args:
        gaussian: Of the columns.
        coefficients: (outputs, columns).
        always: Columns that are known in every coalition.
    """

    def __init__(self, gaussian: Gaussian, coefficients: Floats, always: Positions) -> None:
        self.gaussian = gaussian
        self.coefficients = coefficients
        self.always = always

    def onto(self, known: Positions) -> Floats:
        """(outputs, columns): what the expected sum, less the mean, is in the known columns' distances from their means."""
        weights = np.zeros_like(self.coefficients)
        covariance = self.gaussian.covariance
        absent = np.setdiff1d(np.arange(len(covariance)), known)
        within, across = covariance[np.ix_(known, known)], covariance[np.ix_(known, absent)]
        behind = np.linalg.pinv(within, rcond=LEAST_VARIANCE, hermitian=True) @ across
        weights[:, known] = self.coefficients[:, known] + self.coefficients[:, absent] @ behind.T
        return weights


def _exact(projections: _Projections, players: Sequence[Positions]) -> Floats:
    """(players, outputs, columns): the mean over all coalitions of what the projections gain by a player."""
    count = len(players)
    coalitions = all_coalitions(count)
    onto = np.array(
        [
            projections.onto(
                np.sort(np.concatenate([projections.always, *(players[one] for one in np.flatnonzero(row).tolist())]))
            )
            for row in coalitions
        ]
    )
    sizes = coalitions.sum(axis=1)
    gains = []
    for player in range(count):
        without = np.flatnonzero(~coalitions[:, player])
        weights = np.array([1 / (count * math.comb(count - 1, int(size))) for size in sizes[without]])
        gains.append(np.tensordot(weights, onto[without + 2**player] - onto[without], axes=1))
    return np.array(gains)


def _sampled(
    projections: _Projections, players: Sequence[Positions], away: Floats, pairs: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """(rows, players, outputs): means over pairs of orders, and their standard errors."""
    shape = (len(away), len(players), len(projections.coefficients))
    mean, squares = np.zeros(shape), np.zeros(shape)
    for pair in range(1, pairs + 1):
        order = rng.permutation(len(players))
        found = (_joining(projections, players, away, order) + _joining(projections, players, away, order[::-1])) / 2
        moved = found - mean
        mean += moved / pair
        squares += moved * (found - mean)
    return mean, np.sqrt(squares / (pairs * (pairs - 1))) if pairs > 1 else np.full(shape, np.nan)


def _joining(projections: _Projections, players: Sequence[Positions], away: Floats, order: Positions) -> Floats:
    """(rows, players, outputs): what each player adds when they join in this order."""
    if projections.gaussian.full_rank:
        return _joining_by_factor(projections, players, away, order)
    known = projections.always
    before = away @ projections.onto(known).T
    found = np.empty((len(away), len(players), before.shape[1]))
    for player in order:
        known = np.sort(np.concatenate([known, players[player]]))
        after = away @ projections.onto(known).T
        found[:, player], before = after - before, after
    return found


def _joining_by_factor(
    projections: _Projections, players: Sequence[Positions], away: Floats, order: Positions
) -> Floats:
    """The same from one factorization: column i of it is what the i-th column to join says that those before it did not."""
    import scipy.linalg

    places = np.concatenate([projections.always, *(players[player] for player in order)])
    factor = np.linalg.cholesky(projections.gaussian.covariance[np.ix_(places, places)])
    news = scipy.linalg.solve_triangular(factor, away[:, places].T, lower=True)
    gains = (projections.coefficients[:, places] @ factor)[:, :, None] * news
    found = np.empty((len(away), len(players), len(gains)))
    start = len(projections.always)
    for player in order:
        stop = start + len(players[player])
        found[:, player] = gains[:, start:stop].sum(axis=1).T
        start = stop
    return found
