"""Which explainer explains a model, and why that one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from clarify_ops.errors import BadDocument, NotSupported, nearest
from clarify_ops.explain.coalitions import coalition_budget
from clarify_ops.explain.encoding import Untraced
from clarify_ops.explain.exact import most_differing
from clarify_ops.explain.explanation import Explanation
from clarify_ops.explain.game import BATCH_ROWS
from clarify_ops.explain.hybrids import Hybrids
from clarify_ops.explain.matching import Match
from clarify_ops.explain.methods import EXPLAINERS, Explainer
from clarify_ops.explain.playing import Progress, explained_features
from clarify_ops.explain.question import Question

AUTO = "auto"


@dataclass(frozen=True)
class Choice:
    """An explainer and the reason for it.

    Attributes:
        explainer: Its name in the table.
        reason: A sentence.
        considered: Explainers that were not taken, and a clause each that says why not, in the order of looking.
    """

    explainer: str
    reason: str
    considered: tuple[tuple[str, str], ...] = ()

    def said(self) -> str:
        """The reason, and those against the others."""
        others = "; ".join(f"{name}: {why}" for name, why in self.considered)
        return f"{self.reason} Not taken: {others}." if others else self.reason


def explain(
    model: object,
    rows: Any,
    background: Any = None,
    method: str = AUTO,
    *,
    estimator: object | None = None,
    seed: int = 0,
    num_samples: int | None = None,
    max_standard_error: float | None = None,
    features_to_explain: Sequence[str] | None = None,
    use_logit: bool = False,
    labels: Sequence[str] | None = None,
    batch_rows: int = BATCH_ROWS,
    progress: Progress | None = None,
) -> Explanation:
    """Explains rows by the explainer that is named, or by the one that the model calls for.

    Args:
        model: A `Model`, a fitted estimator with `predict_proba`, `decision_function` or `predict`, or a function from rows
            to (rows,) or (rows, outputs).
        rows: (rows, features) to explain: a DataFrame of any dtypes, sparse ones included, or a scipy sparse matrix.
        background: (baseline rows, features) of the same kind; None for the training rows, which only trees remember.
        method: A name in the table of explainers, or "auto".
        estimator: The fitted object that answers, where `model` is a function in front of it.
        seed: Fixes whatever is drawn.
        num_samples: Coalitions per row; None for each explainer's own number.
        max_standard_error: What no standard error is to exceed, in the unit explained; None to spend the budget.
        features_to_explain: Names of the features that play; the others always keep the row's value. None for all.
        use_logit: Explain the log-odds of the outputs, which must then be probabilities.
        labels: Names of the outputs; None for label0, label1, ...
        batch_rows: Most rows in one prediction call.
        progress: Told how far the predictions are.

    Returns:
        Values in the unit of the outputs asked about, or in another that `unit` and a warning name where an explainer was
        asked for by name that explains another; `reason` says which explainer was taken and why.

    Raises:
        BadDocument: There is no such explainer, or a setting is wrong.
        NotSupported: The explainer cannot be used on this model.
        BadData: The rows or the background are wrong.
        BadModel: The model fails, or its outputs are not finite numbers of one shape. Nothing else is tried then.
    """
    question = Question.of(
        model,
        rows,
        background,
        estimator=estimator,
        seed=seed,
        num_samples=num_samples,
        max_standard_error=max_standard_error,
        features_to_explain=features_to_explain,
        use_logit=use_logit,
        labels=labels,
        batch_rows=batch_rows,
        progress=progress,
    )
    return answered(question, choose(question) if method == AUTO else named(question, method))


def answered(question: Question, choice: Choice) -> Explanation:
    """The explanation by a chosen explainer, for instance of one batch of rows after the other."""
    run = BY_NAME[choice.explainer].run
    if run is None:
        raise NotSupported(f"{choice.explainer} explains no rows.")
    return replace(question.widened(run(question)), reason=choice.said())


def named(question: Question, method: str) -> Choice:
    """The explainer that is asked for by name.

    Raises:
        BadDocument: There is none of that name.
        NotSupported: It cannot be used on this model.
    """
    if method not in BY_NAME:
        raise BadDocument(f"There is no explainer {method!r}.", nearest(method, [AUTO, *BY_NAME]))
    unfit = BY_NAME[method].unfit(question)
    if unfit:
        raise NotSupported(f"{method} cannot be used: {unfit}.", f'Use another explainer, or "{AUTO}".')
    if question.max_standard_error is not None and method not in BOUNDED:
        raise NotSupported(
            f"{method} knows no bound on its errors.", f"Use {' or '.join(BOUNDED)}, or drop max_standard_error."
        )
    return Choice(method, f"{method} was asked for.")


def choose(question: Question) -> Choice:
    """The explainer that a model calls for, by what it is and what is asked about it.

    What is read off the model comes first, where the outputs asked about are the sums that are read: exact, and the
    model is not asked about a single coalition. Then all coalitions, where the budget covers them; then a sample. The
    model is asked about some rows on the way; if it fails, that is the end of it.

    Raises:
        BadModel: The model fails, or its outputs are not finite numbers of one shape.
        NotSupported: There is no background, and nothing else to take the place of absent features.
    """
    considered: list[tuple[str, str]] = []
    for name, sums in READ.items():
        why_not, because = _readable(question, name, sums)
        if because:
            return Choice(name, f"{name} was chosen: {because}.", tuple(considered))
        considered.append((name, why_not))
    if question.background is None:
        why_not, because = _readable(question, "library_shap", lambda asked: asked.library)
        if because and isinstance(question.trees, Untraced):
            because = (
                f"without baseline rows, {question.trees}, and its library explains the model by its training rows"
            )
            return Choice("library_shap", f"library_shap was chosen: {because}.", tuple(considered))
        considered.append(("library_shap", why_not or "the trees are read, and are not what is asked about"))
        raise NotSupported(
            "Without baseline rows nothing takes the place of absent features: "
            + "; ".join(f"{name}: {why}" for name, why in considered)
            + ".",
            "Give baseline rows.",
        )
    explained = explained_features(question.rows, question.features_to_explain)
    differing = most_differing(Hybrids(question.rows, question.background), explained)
    budget = max(2, coalition_budget(len(explained), question.num_samples))
    if 2**differing - 2 <= budget:
        because = (
            f"rows differ from the baseline in {differing} features at most, and all their coalitions fit the budget"
        )
        return Choice("exact", f"exact was chosen: {because}.", tuple(considered))
    considered.append(
        ("exact", f"rows differ from the baseline in {differing} features, too many for {budget:,} coalitions")
    )
    if question.max_standard_error is not None:
        because = f"it goes on until no standard error is above {question.max_standard_error:g}"
        return Choice("permutation_shap", f"permutation_shap was chosen: {because}.", tuple(considered))
    why_not = _layers_unfit(question)
    if not why_not:
        because = (
            "the layers of the network give values near those that Kernel SHAP estimates, which are approximate too"
        )
        return Choice("deep_shap", f"deep_shap was chosen: {because}; nothing bounds their error.", tuple(considered))
    considered.append(("deep_shap", why_not))
    return Choice("kernel_shap", "kernel_shap was chosen: it asks any model and says its errors.", tuple(considered))


def stands_in(question: Question) -> Choice:
    """Which explainer may fill SageMaker Clarify's `kernel_shap` in the kernel's place.

    One that reads the same Shapley values, over the same baseline rows, off the model: where the outputs asked about are sums
    that it adds up (log-odds with `use_logit`, values of a regression, averaged probabilities of a forest). Probabilities of a
    boosted classifier are no such sum.

    Returns:
        The explainer, or kernel_shap itself, and a sentence that says why.
    """
    if question.background is None:
        return Choice("kernel_shap", "Kernel SHAP is computed as such: there are no baseline rows to compare over.")
    considered: list[tuple[str, str]] = []
    for name, sums in READ.items():
        why_not, because = _readable(question, name, sums)
        if because:
            rows = len(question.background)
            over = f"{rows} baseline row{'s' if rows != 1 else ''}"
            return Choice(name, f"{name} stands in for Kernel SHAP over the {over}: {because}.", tuple(considered))
        considered.append((name, why_not))
    return Choice("kernel_shap", "Kernel SHAP is computed as such.", tuple(considered))


def _readable(question: Question, name: str, sums: Callable[[Question], Any]) -> tuple[str, str]:
    """Why an explainer that reads the model is not to be taken, or why it is; one of them is empty."""
    unfit = BY_NAME[name].unfit(question)
    if unfit:
        return unfit, ""
    read = sums(question)
    matched = question.match(read)
    if not isinstance(matched, Match):
        return matched, ""
    return (
        "",
        f"what is asked about is the {read.unit} that {read.estimator} adds up, and the values are read off it exactly",
    )


def _layers_unfit(question: Question) -> str:
    """Why a network's layers are not to be taken, as a clause; empty where they are."""
    network = question.network if question.estimator is not None else None
    if network is None or isinstance(network, Untraced):
        return BY_NAME["deep_shap"].unfit(question)
    if question.num_samples is not None:
        return "a number of coalitions is given, and it asks about none"
    matched = question.match(network)
    if not isinstance(matched, Match):
        return matched
    return network.flaw(question.rows, question.baseline)


READ: dict[str, Callable[[Question], Any]] = {
    "linear_shap": lambda question: question.linear,
    "tree_shap": lambda question: question.trees,
}
"""Explainers that read the model, in the order of looking, and what they read."""

BOUNDED = ("kernel_shap", "permutation_shap")
"""Explainers that can go on until no error exceeds a bound."""

BY_NAME: dict[str, Explainer] = {explainer.name: explainer for explainer in EXPLAINERS}
