"""The explainers, as the documentation lists them and as they are run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from clarify_ops.errors import NotSupported
from clarify_ops.explain.correlated import correlated_linear_shap
from clarify_ops.explain.encoding import Untraced
from clarify_ops.explain.exact import MOST_COALITIONS, exact_shap
from clarify_ops.explain.explanation import Explanation
from clarify_ops.explain.kernel import kernel_shap
from clarify_ops.explain.library import library_shap
from clarify_ops.explain.linear import LinearModel, linear_shap
from clarify_ops.explain.permutation import permutation_shap
from clarify_ops.explain.question import Question
from clarify_ops.explain.tree import tree_shap

ONLY_ANSWERS = "nothing is known of the model but its answers"
UNUSED_BACKGROUND = "The baseline rows play no part: the library lets its training rows stand for what is absent."
NEEDS_BACKGROUND = "it needs baseline rows"


@dataclass(frozen=True)
class Explainer:
    """A row of the table of explainers.

    Attributes:
        name: Its name in an analysis configuration and in analysis.json.
        what: What its numbers say.
        exact_when: When it computes what it defines, instead of an estimate.
        source: Where it is defined, with a DOI or arXiv number.
        run: Explains rows; None where it describes a model as a whole.
        unfit: Why it cannot be used on a question, as a clause; empty where it can. Depends on what is asked and on what
            the model is, and never on whether something fails.
    """

    name: str
    what: str
    exact_when: str
    source: str
    run: Callable[[Question], Explanation] | None = None
    unfit: Callable[[Question], str] = lambda _: ""


def _asking(question: Question) -> dict[str, Any]:
    """What every explainer takes that asks the model."""
    return {
        "predict": question.predict,
        "rows": question.rows,
        "background": question.baseline,
        "batch_rows": question.batch_rows,
        "features_to_explain": question.features_to_explain,
        "use_logit": question.use_logit,
        "labels": question.labels,
        "progress": question.progress,
    }


def _no_background(question: Question) -> str:
    return NEEDS_BACKGROUND if question.background is None else ""


def _not_linear(question: Question) -> str:
    if question.estimator is None:
        return ONLY_ANSWERS
    found = question.linear
    return str(found) if isinstance(found, Untraced) else _no_background(question)


def _no_trees(question: Question) -> str:
    if question.estimator is None:
        return ONLY_ANSWERS
    found = question.trees
    return str(found) if isinstance(found, Untraced) else ""


def _no_library(question: Question) -> str:
    if question.estimator is None:
        return ONLY_ANSWERS
    found = question.library
    return str(found) if isinstance(found, Untraced) else ""


def _exact(question: Question) -> Explanation:
    # Who gives a larger budget means it.
    most = max(MOST_COALITIONS, 0 if question.num_samples is None else question.num_samples + 2)
    return exact_shap(**_asking(question), most_coalitions=most)


def _kernel(question: Question) -> Explanation:
    return kernel_shap(
        **_asking(question),
        num_samples=question.num_samples,
        max_standard_error=question.error_below,
        seed=question.seed,
    )


def _permutation(question: Question) -> Explanation:
    return permutation_shap(
        **_asking(question), num_samples=question.num_samples, error_below=question.error_below, seed=question.seed
    )


def _coefficients(question: Question) -> LinearModel:
    if isinstance(question.linear, Untraced):
        raise NotSupported(f"The model's coefficients cannot be read: {question.linear}.")
    return question.linear


def _linear(question: Question) -> Explanation:
    model = _coefficients(question)
    matched = question.match(model)
    found = linear_shap(model, question.rows, question.baseline, features_to_explain=question.features_to_explain)
    return question.settled(found, matched)


def _correlated(question: Question) -> Explanation:
    model = _coefficients(question)
    matched = question.match(model)
    found = correlated_linear_shap(
        model,
        question.rows,
        question.baseline,
        seed=question.seed,
        num_samples=question.num_samples,
        features_to_explain=question.features_to_explain,
    )
    return question.settled(found, matched)


def _tree(question: Question) -> Explanation:
    trees = question.trees
    if isinstance(trees, Untraced):
        raise NotSupported(f"The model's trees cannot be read: {trees}.")
    matched = question.match(trees)
    found = tree_shap(trees, question.rows, question.background, features_to_explain=question.features_to_explain)
    return question.settled(found, matched)


def _library(question: Question) -> Explanation:
    values = question.library
    if isinstance(values, Untraced):
        raise NotSupported(f"The library cannot be asked: {values}.")
    matched = question.match(values)
    found = library_shap(values, question.rows, features_to_explain=question.features_to_explain)
    if question.background is not None:
        found = replace(found, warnings=(*found.warnings, UNUSED_BACKGROUND))
    return question.settled(found, matched)


EXPLAINERS: tuple[Explainer, ...] = (
    Explainer(
        name="kernel_shap",
        what="Shapley values of every row: how far each feature moves the output from its mean over the baseline rows.",
        exact_when="the features that differ from the baseline have no more coalitions than num_samples; otherwise a "
        "paired sample, with standard errors",
        source="Lundberg and Lee (2017), arXiv:1705.07874; Covert and Lee (2021), arXiv:2012.01536",
        run=_kernel,
        unfit=_no_background,
    ),
    Explainer(
        name="exact",
        what="The same Shapley values, from all coalitions or not at all.",
        exact_when="always; refuses rows that differ from the baseline in more than 16 features",
        source="Shapley (1953), doi:10.1515/9781400881970-018; Lundberg and Lee (2017), arXiv:1705.07874",
        run=_exact,
        unfit=_no_background,
    ),
    Explainer(
        name="permutation_shap",
        what="The same Shapley values, from what a feature adds when it joins the others in a random order.",
        exact_when="as kernel_shap; otherwise unbiased, with standard errors, until these are below a bound or the budget "
        "is spent",
        source="Castro, Gomez and Tejada (2009), doi:10.1016/j.cor.2008.04.004; Mitchell et al. (2022), arXiv:2104.12199",
        run=_permutation,
        unfit=_no_background,
    ),
    Explainer(
        name="linear_shap",
        what="The same Shapley values of a linear model, from its coefficients, in the unit in which it adds up.",
        exact_when="always; each encoded column must be made of one feature",
        source="Lundberg and Lee (2017), arXiv:1705.07874",
        run=_linear,
        unfit=_not_linear,
    ),
    Explainer(
        name="linear_shap_correlated",
        what="Shapley values of what is expected of a linear model when only some features are known: a feature shares in "
        "what its correlates say, if the baseline rows are Gaussian.",
        exact_when="12 features or fewer; otherwise random orders, with standard errors",
        source="Lundberg and Lee (2017), arXiv:1705.07874; Aas, Jullum and Loland (2021), "
        "doi:10.1016/j.artint.2021.103502",
        run=_correlated,
        unfit=_not_linear,
    ),
    Explainer(
        name="tree_shap",
        what="The same Shapley values of trees, from their splits, in the unit in which they add up; without baseline rows, "
        "those of the game in which the training rows of a path stand for what is absent.",
        exact_when="always",
        source="Lundberg et al. (2020), arXiv:1905.04610; Janzing et al. (2020), arXiv:1910.13413",
        run=_tree,
        unfit=_no_trees,
    ),
    Explainer(
        name="library_shap",
        what="What CatBoost or XGBoost says of its own trees where they cannot be read here, as with statistics of the target "
        "over categories: training rows of a path stand for what is absent, and baseline rows play no part.",
        exact_when="as the library has it; only the sum of the values is checked, and refused where it misses the prediction",
        source="Lundberg et al. (2020), arXiv:1905.04610",
        run=_library,
        unfit=_no_library,
    ),
    Explainer(
        name="pdp",
        what="Partial dependence: the mean output over all rows when one feature is forced to a value.",
        exact_when="always, at its grid points",
        source="Friedman (2001), doi:10.1214/aos/1013203451",
    ),
)
