"""The explainers, as the documentation lists them and as they are run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clarify_ops.errors import NotSupported
from clarify_ops.explain.correlated import correlated_linear_shap
from clarify_ops.explain.deep import deep_shap, expected_gradients
from clarify_ops.explain.encoding import Untraced
from clarify_ops.explain.exact import MOST_COALITIONS, exact_shap
from clarify_ops.explain.explanation import Explanation
from clarify_ops.explain.kernel import KernelShap
from clarify_ops.explain.library import library_shap
from clarify_ops.explain.linear import LinearModel, linear_shap
from clarify_ops.explain.matching import Match
from clarify_ops.explain.network import Network
from clarify_ops.explain.permutation import permutation_shap
from clarify_ops.explain.playing import Playing
from clarify_ops.explain.question import Question
from clarify_ops.explain.stages import Effort
from clarify_ops.explain.tree import tree_shap

ONLY_ANSWERS = "nothing is known of the model but its answers"
UNUSED_BACKGROUND = "The baseline rows play no part: the library lets its training rows stand for what is absent."
GRADIENT_SAMPLES = 200
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
        **_playing(question),
    }


def _playing(question: Question) -> Playing:
    return {
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


def _no_network(question: Question) -> str:
    if question.estimator is None:
        return ONLY_ANSWERS
    found = question.network
    return str(found) if isinstance(found, Untraced) else _no_background(question)


def _exact(question: Question) -> Explanation:
    # Who gives a larger budget means it.
    most = max(MOST_COALITIONS, 0 if question.num_samples is None else question.num_samples + 2)
    return exact_shap(**_asking(question), most_coalitions=most)


def _kernel(question: Question) -> Explanation:
    effort = Effort(question.num_samples, question.max_standard_error)
    made: KernelShap = question.once(
        "kernel_shap",
        lambda: KernelShap(
            question.predict, question.baseline, effort=effort, seed=question.seed, **_playing(question)
        ),
    )
    return made.explain(question.rows)


def _permutation(question: Question) -> Explanation:
    return permutation_shap(
        **_asking(question),
        num_samples=question.num_samples,
        max_standard_error=question.max_standard_error,
        seed=question.seed,
    )


def _coefficients(question: Question) -> LinearModel:
    if isinstance(question.linear, Untraced):
        raise NotSupported(f"The model's coefficients cannot be read: {question.linear}.")
    return question.linear


def _linear(question: Question) -> Explanation:
    model = _coefficients(question)
    found = linear_shap(model, question.rows, question.baseline, features_to_explain=question.features_to_explain)
    return question.settled(found, question.match(model, found.predictions))


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
    found = tree_shap(trees, question.rows, question.background, features_to_explain=question.features_to_explain)
    return question.settled(found, question.match(trees, found.predictions))


def _library(question: Question) -> Explanation:
    values = question.library
    if isinstance(values, Untraced):
        raise NotSupported(f"The library cannot be asked: {values}.")
    matched = question.match(values)
    found = library_shap(values, question.rows, features_to_explain=question.features_to_explain)
    if question.background is not None:
        found = replace(found, warnings=(*found.warnings, UNUSED_BACKGROUND))
    return question.settled(found, matched)


def _network(question: Question) -> Network:
    if isinstance(question.network, Untraced):
        raise NotSupported(f"The layers cannot be seen: {question.network}.")
    return question.network


def _deep(question: Question) -> Explanation:
    network = _network(question)
    found = deep_shap(network.module, network.prepare(question.rows), network.prepare(question.baseline))
    return _of_network(question, network, found)


def _gradients(question: Question) -> Explanation:
    network = _network(question)
    found = expected_gradients(
        network.module,
        network.prepare(question.rows),
        network.prepare(question.baseline),
        rng=np.random.default_rng(question.seed),
        samples=GRADIENT_SAMPLES if question.num_samples is None else question.num_samples,
    )
    return _of_network(question, network, found)


def _of_network(question: Question, network: Network, found: Explanation) -> Explanation:
    matched = question.match(network)
    # A model that answers as the network does keeps the unit in which it was given.
    found = found if isinstance(matched, Match) else replace(found, unit=network.unit)
    return replace(question.settled(found, matched), features=tuple(map(str, question.rows.columns)))


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
        exact_when="as kernel_shap; otherwise unbiased, with standard errors, until none is above a bound or the budget "
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
        name="deep_shap",
        what="Approximations of the same Shapley values of a PyTorch network, layer by layer, by DeepLIFT's rescale rule.",
        exact_when="the network is linear; otherwise nothing bounds the error, and a gap to the prediction is told",
        source="Shrikumar, Greenside and Kundaje (2017), arXiv:1704.02685; Lundberg and Lee (2017), arXiv:1705.07874",
        run=_deep,
        unfit=_no_network,
    ),
    Explainer(
        name="expected_gradients",
        what="A PyTorch network's gradients on the way from baseline rows to the row: the values of Aumann and Shapley, "
        "which share out the same difference in another way.",
        exact_when="never; random places on the way, with standard errors",
        source="Erion et al. (2021), doi:10.1038/s42256-021-00343-9; Sundararajan, Taly and Yan (2017), arXiv:1703.01365",
        run=_gradients,
        unfit=_no_network,
    ),
    Explainer(
        name="surrogate",
        what="A simple model trained to say what the model says (LightGBM, linear, SGD or a decision tree), what it goes by, "
        "and how well it repeats the model on rows that it has not seen.",
        exact_when="never; its fidelity says how near it comes",
        source="Craven and Shavlik (1995), Extracting tree-structured representations of trained networks; Bastani, Kim and "
        "Bastani (2017), arXiv:1705.08504",
    ),
    Explainer(
        name="feature_importance",
        what="Permutation importance: how much worse the model predicts when one feature is shuffled.",
        exact_when="never; random orders, with standard errors",
        source="Breiman (2001), doi:10.1023/A:1010933404324; Fisher, Rudin and Dominici (2019), arXiv:1801.01489",
    ),
    Explainer(
        name="pdp",
        what="Partial dependence: the mean output over all rows when one feature is forced to a value.",
        exact_when="always, at its grid points",
        source="Friedman (2001), doi:10.1214/aos/1013203451",
    ),
    Explainer(
        name="individual_curves",
        what="Individual conditional expectation: the output of each row when one feature is forced to a value.",
        exact_when="always, at its grid points",
        source="Goldstein et al. (2015), arXiv:1309.6392",
    ),
    Explainer(
        name="accumulated_effects",
        what="Accumulated local effects: how the output changes with a feature among rows that have about its value, added up.",
        exact_when="always, of its intervals",
        source="Apley and Zhu (2020), doi:10.1111/rssb.12377",
    ),
)
