"""Pictures to log: five readable PNG files, the same bytes for the same release."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
from PIL import Image

from clarify_ops.gate.release import ExplanationFacts
from clarify_ops.report import plots
from clarify_ops.report.figures import _ranks, beeswarm, bias, partial_dependence_svg
from clarify_ops.report.figures import verdict as verdict_figure
from tests.factories import release, verdict

NAMES = {"global_importance.png", "beeswarm.png", "partial_dependence.png", "bias.png", "verdict.png"}
NOTHING = ExplanationFacts({}, {}, "mean_abs", {}, {}, (), 0, 0, "Nothing was explained")


def test_five_pictures_the_same_each_time_and_without_a_date() -> None:
    first, again = plots(release()), plots(release())
    assert set(first) == NAMES
    assert first == again
    for content in first.values():
        with Image.open(io.BytesIO(content)) as picture:
            assert picture.width >= 800
            assert picture.info.keys() <= {"dpi"}
            assert len(np.unique(np.asarray(picture.convert("L")))) > 20
    assert partial_dependence_svg(release().explanations) == partial_dependence_svg(release().explanations)


def test_an_empty_release_still_gives_five_pictures() -> None:
    assert set(plots(release(measures=(), verdict=verdict(()), explanations=NOTHING))) == NAMES


def test_masked_groups_are_not_drawn() -> None:
    labels = [text.get_text() for axes in bias(release()).axes for text in axes.get_yticklabels()]
    assert "DPL  black = 1" in labels
    assert not any("age_band" in label for label in labels)
    assert "not published" in [text.get_text() for text in verdict_figure(release()).axes[0].texts]


def test_a_dot_lies_at_its_attribution_and_all_are_drawn() -> None:
    whole = release()
    dots = beeswarm(whole.explanations, whole.model.features).axes[0].collections[-1].get_offsets()
    assert np.allclose(np.asarray(dots)[:, 0], whole.explanations.local_values["loan_to_value_label0"])


def test_ranks_share_ties_and_leave_missing_values_out() -> None:
    assert np.array_equal(_ranks([3.0, 1.0, float("nan"), 9.0]), [0.5, 0.0, np.nan, 1.0], equal_nan=True)


def test_missing_values_and_two_labels_are_drawn() -> None:
    facts = release().explanations
    two = replace(
        facts,
        global_values={"yes": facts.global_values["label0"], "no": facts.global_values["label0"]},
        local_values={
            f"{name}_{label}": facts.local_values[f"{name}_label0"]
            for name in facts.feature_values
            for label in ("yes", "no")
        },
        feature_values={**facts.feature_values, "loanamt": (None, *facts.feature_values["loanamt"][1:])},
    )
    assert set(plots(release(explanations=two))) == NAMES
