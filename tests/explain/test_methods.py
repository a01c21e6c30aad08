"""The table of explainers is complete and sourced."""

from __future__ import annotations

import re

from clarify_ops.explain.methods import EXPLAINERS


def test_every_explainer_says_what_it_is_and_where_it_comes_from() -> None:
    assert [explainer.name for explainer in EXPLAINERS] == [
        "kernel_shap",
        "exact",
        "permutation_shap",
        "linear_shap",
        "linear_shap_correlated",
        "tree_shap",
        "library_shap",
        "pdp",
    ]
    for explainer in EXPLAINERS:
        assert explainer.what.endswith(".")
        assert explainer.exact_when
        assert re.search(r"arXiv:\d{4}\.\d{4,5}|doi:10\.", explainer.source)
