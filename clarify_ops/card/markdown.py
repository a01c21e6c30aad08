"""The card for people: Markdown with the front matter that model hubs read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import yaml

from clarify_ops.card.content import NOT_STATED, QUESTIONS, CardContent, Section, waiver_sentence
from clarify_ops.gate.published import number
from clarify_ops.gate.release import Release

_SHOWN_FEATURES = 15
# Everything with which text could become markup, a table cell or HTML.
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~&])")


def render_markdown(release: Release) -> str:
    """The whole card.

    Args:
        release: What is known of the candidate, with the `card:` section as the user wrote it.

    Raises:
        BadDocument: The `card:` section breaks its schema.
    """
    content = CardContent.of(release)
    parts = [
        *_front_matter(content),
        f"# {plain(release.model.name)}",
        *_verdict(content),
        *_use(content),
        *_data(content),
        *_training(content),
        *_evaluation(content),
        *_bias(content),
        *_explanations(content),
        *_limitations(content),
        *_evidence(content),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def plain(text: object) -> str:
    """Text from outside as it is, never as markup: on one line, with every active character escaped."""
    return (
        _MARKUP.sub(r"\\\1", " ".join(str(text).split()))
        .replace("\\<", "&lt;")
        .replace("\\>", "&gt;")
        .replace("\\&", "&amp;")
    )


def _front_matter(content: CardContent) -> list[str]:
    release = content.release
    head = {
        "model_name": release.model.name,
        "library_name": next(iter(release.model.libraries), None),
        "license": content.words.licence,
        "datasets": [content.dataset],
        "tags": ["clarify-ops", f"gate-{release.verdict.outcome.lower()}"],
    }
    text = yaml.safe_dump(
        {key: value for key, value in head.items() if value is not None}, sort_keys=False, allow_unicode=True
    )
    return [f"---\n{text}---"]


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
            content.interval(one),
            one.bound,
            content.rows(one),
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
        _table(("Outcome", "Rule", "Metric", "Value", "Interval", "Acceptable", "Rows", "Why this bound"), rows)
        if rows
        else "The policy asks for nothing.",
    ]


def _use(content: CardContent) -> list[str]:
    described = [plain(content.words.description)] if content.words.description else []
    business = [
        f"- **{name}:** {plain(words)}"
        for name, words in (
            ("Business problem", content.words.business_problem),
            ("Stakeholders", content.words.business_stakeholders),
            ("Line of business", content.words.line_of_business),
            *content.words.custom.items(),
        )
        if words
    ]
    asked = (
        "owner",
        "contact",
        "licence",
        "purpose",
        "intended_uses",
        "out_of_scope",
        "users",
        "factors",
        "risk_rating",
        "risk_explanation",
    )
    return ["## Intended use", *described, "\n".join(_said(content, asked)), "\n".join(business)]


def _said(content: CardContent, keys: Iterable[str]) -> list[str]:
    return [f"- **{QUESTIONS[key]}:** {plain(content.said(key))}" for key in keys]


def _data(content: CardContent) -> list[str]:
    facts = content.release.data
    facets = [
        (facet, facts.kinds.get(facet, ""), value, rows)
        for facet, values in facts.facets.items()
        for value, rows in content.mask.facet_rows(facet, values).items()
    ]
    return [
        "## Data",
        (
            f"{plain(content.dataset)}: {facts.rows:,} rows, {facts.columns} columns. The label is "
            f"{plain(facts.label)}, favourable where it is "
            f"{plain(facts.positive)} ({facts.positives:,} rows); {facts.missing_labels:,} rows have no label."
        ),
        _table(("Facet", "Kind", "Value", "Rows"), facets) if facets else "",
        _table(("Excluded column", "Why"), facts.excluded.items()) if facts.excluded else "",
        "\n".join(f"- {plain(warning)}" for warning in facts.warnings),
    ]


def _training(content: CardContent) -> list[str]:
    model = content.release.model
    return [
        "## Training",
        (
            f"{plain(model.estimator)}, fitted on {model.rows:,} rows with seed {model.seed}; evaluated "
            f"{plain(model.evaluation)}; a score above {model.threshold:g} is favourable."
        ),
        _table(("Parameter", "Value"), model.parameters.items()) if model.parameters else "",
        f"Features: {plain(', '.join(f'{name} ({kind})' for name, kind in model.features.items()))}.",
    ]


def _evaluation(content: CardContent) -> list[str]:
    parts = ["## Evaluation"]
    for section in content.sections("quality"):
        parts += [f"### {plain(section.subject)[:1].upper()}{plain(section.subject)[1:]}", _measures(content, section)]
    return parts if len(parts) > 1 else [*parts, "Quality was not measured."]


def _bias(content: CardContent) -> list[str]:
    parts = ["## Bias"]
    for section in content.sections("pre_training", "post_training"):
        when = "labels, before training" if section.stage == "pre_training" else "predictions, after training"
        parts += [f"### {plain(section.subject)}: {when}", _measures(content, section)]
    return parts if len(parts) > 1 else [*parts, "No group was compared."]


def _measures(content: CardContent, section: Section) -> str:
    rows = [
        (
            one.metric,
            content.value(one),
            content.interval(one) or "none",
            content.rows(one),
            content.divided(one) or "not applicable",
        )
        for one in section.measures
    ]
    return _table(("Metric", "Value", "Interval", "Rows", "Divided by"), rows)


def _explanations(content: CardContent) -> list[str]:
    facts = content.release.explanations
    parts = [
        "## Explanations",
        f"{plain(facts.method)}. {facts.exact_rows:,} of {facts.explained_rows:,} rows were explained exactly.",
    ]
    for label, values in content.importance:
        shown = [(name, number(value)) for name, value in values[:_SHOWN_FEATURES]]
        parts.append(_table((f"Feature ({label})", f"Importance ({facts.aggregation})"), shown))
    return [*parts, "\n".join(f"- {plain(warning)}" for warning in facts.warnings)]


def _limitations(content: CardContent) -> list[str]:
    gaps = [f"- {QUESTIONS[key]}: {NOT_STATED}" for key in content.gaps]
    undefined = [
        f"- {plain(one.metric)} of {plain(one.subject)} is undefined: {plain(one.reason)}"
        for one in content.release.measures
        if one.value is None and not content.mask.hides(one)
    ]
    return [
        "## Limitations",
        "\n".join(_said(content, ("caveats", "ethical_considerations"))),
        "\n".join(undefined),
        "### Gaps in this card" if gaps else "",
        "\n".join(gaps),
    ]


def _evidence(content: CardContent) -> list[str]:
    rows = [f"| {plain(name)} | `{digest}` |" for name, digest in content.release.digests.items()]
    return ["## Evidence", "\n".join(("| What | Digest |", "| --- | --- |", *rows)) if rows else "No digest was given."]


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [heads, ["---"] * len(heads), *([plain(cell) for cell in row] for row in rows)]
    lines[0] = [plain(head) for head in heads]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
