"""The card for people: Markdown with the front matter and the sections that model hubs know, the verdict first."""

from __future__ import annotations

from collections.abc import Iterable

from clarify_ops.card.attached import BOM, CLAUSES_MARKDOWN, METRICS, NOTHING, REPORT, Attached
from clarify_ops.card.content import NOT_STATED, QUESTIONS, CardContent, waiver_sentence
from clarify_ops.card.hub import front_matter
from clarify_ops.gate.marked import plain, table
from clarify_ops.gate.published import number
from clarify_ops.gate.release import Release
from clarify_ops.measures import Measure, Stage

_SHOWN_FEATURES = 15
_JUDGEMENT_HEADS = (
    "Outcome",
    "Rule",
    "Metric",
    "Value",
    "Interval",
    "Acceptable",
    "Rows",
    "Divided by",
    "Why this answer",
    "Why this bound",
)


def render_markdown(release: Release, attached: Attached = NOTHING) -> str:
    """The whole card.

    Args:
        release: What is known of the candidate, with the `card:` section as the user wrote it.
        attached: The files beside it.

    Raises:
        BadDocument: The `card:` section breaks its schema.
    """
    content = CardContent.of(release)
    parts = [
        front_matter(content),
        f"# {plain(release.model.name)}",
        *_verdict(content),
        *_details(content),
        *_uses(content),
        *_risks(content),
        *_training(content),
        *_evaluation(content),
        *_examination(content),
        "## Environmental Impact",
        plain(content.said("environmental_impact")),
        *_specifications(content),
        *_evidence(content, attached),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _verdict(content: CardContent) -> list[str]:
    verdict = content.release.verdict
    waivers = [
        f"- **{plain(one.rule)}**: {plain(waiver_sentence(one))}"
        for one in verdict.judgements
        if one.waiver is not None
    ]
    rows = [
        (
            content.outcome(one),
            one.rule,
            f"{one.metric} of {one.subject}",
            content.value(one),
            content.interval(one) or "none",
            one.bound,
            content.rows(one),
            content.divided(one) or "not applicable",
            "; ".join(part for part in (content.mask.reason(one), content.statistics(one)) if part),
            one.why,
        )
        for one in verdict.judgements
    ]
    return [
        f"## Verdict: {verdict.outcome}",
        (
            f"{plain(verdict.reason)} {content.registration} "
            f"Judged on {plain(content.release.judged_on)} by the policy {plain(verdict.policy)}."
        ),
        "### Waivers" if waivers else "",
        "\n".join(waivers),
        "### Judgements",
        table(_JUDGEMENT_HEADS, rows) if rows else "The policy asks for nothing.",
    ]


def _details(content: CardContent) -> list[str]:
    words, model = content.words, content.release.model
    facts = [
        ("Made by", words.creator),
        ("Kind", f"{model.estimator} ({words.problem_type or 'binary classification'})"),
        ("Language of the data", ", ".join(words.language) or None),
        ("Business problem", words.business_problem),
        ("Stakeholders", words.business_stakeholders),
        ("Line of business", words.line_of_business),
        *words.custom.items(),
    ]
    return [
        "## Model Details",
        plain(words.description) if words.description else "",
        "\n".join(
            [
                *_said(content, ("owner", "contact", "licence")),
                *(f"- **{plain(name)}:** {plain(said)}" for name, said in facts if said),
            ]
        ),
    ]


def _uses(content: CardContent) -> list[str]:
    return [
        "## Uses",
        "### Direct Use",
        "\n".join(_said(content, ("purpose", "intended_uses", "users"))),
        "### Downstream Use",
        plain(content.said("downstream_uses")),
        "### Out-of-Scope Use",
        plain(content.said("out_of_scope")),
    ]


def _said(content: CardContent, keys: Iterable[str]) -> list[str]:
    return [f"- **{QUESTIONS[key]}:** {plain(content.said(key))}" for key in keys]


def _risks(content: CardContent) -> list[str]:
    gaps = [f"- {QUESTIONS[key]}: {NOT_STATED}" for key in content.gaps]
    undefined = [
        f"- {plain(one.metric)} of {plain(one.subject)} is undefined: {plain(content.mask.reason(one))}"
        for one in content.release.measures
        if one.value is None and not content.mask.hides(one)
    ]
    asked = ("risk_rating", "risk_explanation", "factors", "ethical_considerations", "human_oversight")
    return [
        "## Bias, Risks, and Limitations",
        "\n".join(_said(content, asked)),
        "### Recommendations",
        plain(content.said("caveats")),
        "### What could not be measured" if undefined else "",
        "\n".join(undefined),
        "### Gaps in this card" if gaps else "",
        "\n".join(gaps),
    ]


def _training(content: CardContent) -> list[str]:
    facts, model = content.release.data, content.release.model
    facets = [
        (facet, facts.kinds.get(facet, ""), value, rows)
        for facet, values in facts.facets.items()
        for value, rows in content.mask.facet_rows(facet, values).items()
    ]
    return [
        "## Training Details",
        "### Training Data",
        "" if model.elsewhere is None else "Not known here. What follows are the data that the model was judged on.",
        (
            f"{plain(content.dataset)}: {facts.rows:,} rows, {facts.columns} columns. The label is "
            f"{plain(facts.label)}, favourable where it is "
            f"{plain(facts.positive)} ({facts.positives:,} rows); {facts.missing_labels:,} rows have no label."
        ),
        table(("Facet", "Kind", "Value", "Rows"), facets) if facets else "",
        table(("Excluded column", "Why"), facts.excluded.items()) if facts.excluded else "",
        "\n".join(f"- {plain(warning)}" for warning in facts.warnings),
        "### Training Procedure",
        f"{plain(model.estimator)}, {plain(model.origin)}.",
        table(("Parameter", "Value"), model.parameters.items()) if model.parameters else "",
    ]


def _evaluation(content: CardContent) -> list[str]:
    model, facts = content.release.model, content.release.data
    parts = [
        "## Evaluation",
        "### Testing Data, Factors and Metrics",
        (
            f"The same data, evaluated {plain(model.evaluation)}; a score above {model.threshold:g} is favourable. "
            f"Factors: {plain(', '.join(facts.facets) or 'none')}. Every number stands with its interval, the rows behind it and "
            "what was divided by; one that is undefined says why."
        ),
        "### Results",
    ]
    titles: dict[Stage, str] = {
        "quality": "quality",
        "pre_training": "labels, before training",
        "post_training": "predictions, after training",
        "data": "data",
        "champion": "difference from the champion on the same rows",
    }
    absences: dict[Stage, str] = {
        "quality": "Quality was not measured.",
        "pre_training": "No group was compared in the labels.",
        "post_training": "No group was compared in the predictions.",
    }
    for stage, title in titles.items():
        sections = content.sections(stage)
        parts += [] if sections else [absences.get(stage, "")]
        for section in sections:
            parts += [f"#### {plain(section.subject)}: {title}", _measures(content, section.measures)]
    return parts


def _measures(content: CardContent, measures: Iterable[Measure]) -> str:
    rows = [
        (
            one.metric,
            content.value(one),
            content.interval(one) or "none",
            content.rows(one),
            content.divided(one) or "not applicable",
        )
        for one in measures
    ]
    return table(("Metric", "Value", "Interval", "Rows", "Divided by"), rows)


def _examination(content: CardContent) -> list[str]:
    facts = content.release.explanations
    parts = [
        "## Model Examination",
        f"{plain(facts.method)}. {facts.exact_rows:,} of {facts.explained_rows:,} rows were explained exactly.",
    ]
    for label, values in content.importance:
        shown = [(name, number(value)) for name, value in values[:_SHOWN_FEATURES]]
        parts.append(table((f"Feature ({label})", f"Importance ({facts.aggregation})"), shown))
    if own := content.release.of("explanations"):
        parts.append(_measures(content, own))
    return [*parts, "\n".join(f"- {plain(warning)}" for warning in facts.warnings)]


def _specifications(content: CardContent) -> list[str]:
    model = content.release.model
    return [
        "## Technical Specifications",
        f"Features: {plain(', '.join(f'{name} ({kind})' for name, kind in model.features.items()))}.",
        table(("Library", "Version"), model.libraries.items()) if model.libraries else "",
    ]


def _evidence(content: CardContent, attached: Attached) -> list[str]:
    rows = [f"| {plain(name)} | `{digest}` |" for name, digest in content.release.digests.items()]
    beside = (
        f"Beside this card lie the report ({attached.uri(REPORT)}), every number ({attached.uri(METRICS)}), the parts list "
        f"({attached.uri(BOM)}), and which clauses of laws and standards the evidence supports ({attached.uri(CLAUSES_MARKDOWN)})."
    )
    return [
        "## Evidence",
        "\n".join(("| What | Digest |", "| --- | --- |", *rows)) if rows else "No digest was given.",
        plain(beside),
    ]
