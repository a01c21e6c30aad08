"""What is wrong with a policy, or will be when it meets the data: found before a run, with the line where it stands."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

from clarify_ops.analysis.known_metrics import range_of, stages_of, table_of
from clarify_ops.analysis.policy_power import too_few_rows
from clarify_ops.config.lines import Key, Lines
from clarify_ops.config.policy import Policy, Rule
from clarify_ops.documents import read_document
from clarify_ops.errors import BadDocument, nearest
from clarify_ops.gate.bounds import Bound, bound_of, scale_of
from clarify_ops.gate.subjects import subjects_of
from clarify_ops.measures import Measure

# A waiver that ends sooner is worth a word: two people have to meet about it.
SOON = datetime.timedelta(days=30)


@dataclass(frozen=True)
class Problem:
    """Something to mend.

    Attributes:
        severity: `error` where the gate could not pass as it is meant to, `warning` where a reader may be surprised.
        line: In the policy's file, from 1.
        rule: Id of the rule that it is about; empty where it is about no single one.
        message: One sentence.
        hint: What to do about it; may be empty.
    """

    severity: Literal["error", "warning"]
    line: int
    rule: str
    message: str
    hint: str = ""


@dataclass(frozen=True)
class Known:
    """What is known of the data that the policy is for.

    Attributes:
        measures: Of an analysis or a run; empty where none is given.
        facets: Names of the facets; None where nobody says.
    """

    measures: tuple[Measure, ...] = ()
    facets: frozenset[str] | None = None


@dataclass(frozen=True)
class _Found:
    severity: Literal["error", "warning"]
    path: tuple[Key, ...]
    message: str
    hint: str = ""


def check_policy_file(path: str | Path, known: Known, today: datetime.date) -> tuple[Problem, ...]:
    """Checks a policy by itself and against what is known of the data.

    Args:
        path: `policy.yaml`.
        known: What the data have.
        today: The day on which waivers are looked at.

    Returns:
        Problems in the order of the file's lines.

    Raises:
        BadDocument: The file cannot be read at all, or is no YAML or JSON.
    """
    file = Path(path)
    document = read_document(file, "policy")
    lines = Lines.read(file.read_text(encoding="utf-8"))
    found = list(_faults(document, file))
    if not found:
        policy = Policy.parse(document, f"The policy {file}")
        found = [one for check in _CHECKS for one in check(policy, known)]
        found += _waivers(policy, known, today)
    problems = [
        Problem(one.severity, lines.of(*one.path), _rule(document, one.path), one.message, one.hint) for one in found
    ]
    return tuple(sorted(problems, key=lambda one: (one.line, one.severity, one.message)))


def check_policy(policy: Policy, facets: Collection[str] | None = None) -> None:
    """Refuses a policy that is wrong by itself, before a run. An empty one is judged, and fails.

    Args:
        policy: The policy.
        facets: Names of the facets and intersections that are analysed; None where that is not known.

    Raises:
        BadDocument: A metric or facet is unknown, a bound can never be kept, or two rules contradict each other.
    """
    known = Known(facets=None if facets is None else frozenset(facets))
    for check in _BY_ITSELF:
        for one in check(policy, known):
            if one.severity == "error":
                raise BadDocument(f"In the rule {_rule(policy.model_dump(), one.path)!r}: {one.message}", one.hint)


def _rule(document: Any, path: tuple[Key, ...]) -> str:
    if len(path) < 2 or path[0] not in {"rules", "waivers"}:
        return ""
    found = document[path[0]][path[1]]
    name = found.get("id" if path[0] == "rules" else "rule") if isinstance(found, Mapping) else None
    return name if isinstance(name, str) else ""


def _faults(document: Any, file: Path) -> Iterator[_Found]:
    whole = list(_names(document))
    yield from whole
    for fault in Policy.faults(document, f"The policy {file}"):
        # The schema says the same of names that are wrong, without the place.
        if fault.path or not whole:
            yield _Found("error", fault.path, fault.error.message, fault.error.hint)


def _names(document: Any) -> Iterator[_Found]:
    """Rules of one name, and waivers of rules that are not there."""
    ids: list[str] = []
    for place, name in _texts(document, "rules", "id"):
        if name in ids:
            yield _Found("error", ("rules", place, "id"), f"The rule id {name!r} is used twice.", "Name one otherwise.")
        ids.append(name)
    for place, name in _texts(document, "waivers", "rule"):
        if name not in ids:
            message = f"The waiver names the rule {name!r}, which the policy does not have."
            yield _Found("error", ("waivers", place, "rule"), message, nearest(name, ids))


def _texts(document: Any, part: str, key: str) -> list[tuple[int, str]]:
    listed = document.get(part) if isinstance(document, Mapping) else None
    entries = list(enumerate(listed)) if isinstance(listed, list) else []
    return [(place, one[key]) for place, one in entries if isinstance(one, Mapping) and isinstance(one.get(key), str)]


def _empty(policy: Policy, known: Known) -> Iterator[_Found]:  # noqa: ARG001 - every check is asked alike
    if not policy.rules:
        yield _Found(
            "error", ("rules",), "The policy has no rules, so that the gate fails.", "Try: clarify-ops policy init"
        )


def _metrics(policy: Policy, known: Known) -> Iterator[_Found]:
    for place, rule in enumerate(policy.rules):
        if not _knows(known, rule):
            names = {*table_of(rule.stage), *(one.metric for one in known.measures if one.stage == rule.stage)}
            elsewhere = stages_of(rule.metric)
            hint = f"It is measured in stage {elsewhere[0]}." if elsewhere else nearest(rule.metric, sorted(names))
            message = f"The metric {rule.metric!r} is not known in stage {rule.stage}."
            yield _Found("error", ("rules", place, "metric"), message, hint)


def _knows(known: Known, rule: Rule) -> bool:
    measured = any((one.stage, one.metric) == (rule.stage, rule.metric) for one in known.measures)
    return measured or rule.metric in table_of(rule.stage)


def _facets(policy: Policy, known: Known) -> Iterator[_Found]:
    measured = {one.facet for one in known.measures if one.facet is not None}
    names = measured if known.facets is None else measured | known.facets
    if not names:
        return
    for place, rule in enumerate(policy.rules):
        if rule.facet is not None and rule.facet not in names:
            message = f"The facet {rule.facet!r} is not analysed."
            yield _Found("error", ("rules", place, "facet"), message, nearest(rule.facet, sorted(names)))


def _subjects(policy: Policy, known: Known) -> Iterator[_Found]:
    """What the gate would miss in the measures, in its own words."""
    stages = {one.stage for one in known.measures}
    facets = {one.facet for one in known.measures}
    for place, rule in enumerate(policy.rules):
        # Comparisons with a reference or the champion are measured when the policy asks for them.
        if (
            rule.stage not in stages
            or rule.facet not in facets
            or rule.reference is not None
            or rule.stage == "champion"
        ):
            continue
        if not _knows(known, rule):
            continue
        for subject in subjects_of(rule, policy, known.measures):
            if subject.measure is None:
                yield _Found("error", ("rules", place), f"The gate would fail: {subject.reason}")


def _bounds(policy: Policy, known: Known) -> Iterator[_Found]:
    exact = {(one.stage, one.metric) for one in known.measures if one.exact}
    for place, rule in enumerate(policy.rules):
        key = next(name for name in ("within", "min", "max") if getattr(rule, name) is not None)
        path: tuple[Key, ...] = ("rules", place, key)
        bound, reach = bound_of(rule), range_of(rule.stage, rule.metric)
        if rule.within is not None and scale_of(rule) is None:
            message = f"within is a bound around parity, and {rule.metric} has none: it has no sign and is no ratio."
            yield _Found("error", path, message, "Write min or max.")
        mirrored = bound.ends != (rule.min, rule.max) and rule.within is None
        hint = "It is meant on both sides, unless sides: one is written." if mirrored else ""
        if bound.low > bound.high:
            message = f"The bound {bound} can never pass: its ends are the wrong way round."
            yield _Found("error", path, message, hint)
        elif reach is not None and not bound.meets(reach):
            yield _Found("error", path, f"The bound {bound} can never pass: {rule.metric} is {reach}.", hint)
        elif reach is not None and bound.holds(reach.low, reach.high):
            yield _Found("warning", path, f"The bound {bound} can never fail: {rule.metric} is {reach}.")
        elif reach is not None and (rule.stage, rule.metric) not in exact and _only_a_point(rule, bound, reach):
            message = f"The bound {bound} can never pass: an interval is never a single value."
            yield _Found("error", path, message, hint)


def _only_a_point(rule: Rule, bound: Bound, reach: Bound) -> bool:
    return rule.mode == "interval" and max(bound.low, reach.low) == min(bound.high, reach.high)


def _comparisons(policy: Policy, known: Known) -> Iterator[_Found]:
    """Rules that compare what cannot be compared."""
    for place, rule in enumerate(policy.rules):
        path: tuple[Key, ...] = ("rules", place)
        bias = table_of("pre_training") + table_of("post_training")
        compares = rule.metric in bias and rule.stage in {"pre_training", "post_training", "champion"}
        if compares and rule.facet is None:
            hint = f"Name one, for example facet: {min(known.facets)}." if known.facets else "Name one under facet."
            yield _Found("error", path, f"{rule.metric} compares groups, and no facet is named.", hint)
        both = [value for value in rule.values or () if value in rule.except_values]
        if both:
            message = f"{rule.facet} = {both[0]} is among its values and among its exceptions."
            yield _Found("error", (*path, "except_values"), message)
        if rule.reference is not None and not (compares and rule.stage != "champion"):
            message = f"{rule.metric} in stage {rule.stage} is not compared with a reference."
            yield _Found("error", (*path, "reference"), message, "Only bias metrics are.")
        elif rule.reference is not None and rule.reference in (rule.values or ()):
            message = f"{rule.facet} = {rule.reference} is compared with itself."
            yield _Found("error", (*path, "reference"), message, "Take the reference out of its values.")


def _sides(policy: Policy, known: Known) -> Iterator[_Found]:  # noqa: ARG001 - every check is asked alike
    for place, rule in enumerate(policy.rules):
        if (
            rule.sides == "one"
            and scale_of(rule) is not None
            and None in bound_of(rule).ends
            and rule.stage != "champion"
        ):
            message = (
                f"The rule bounds {rule.metric} on one side only: a gap in the other direction passes, however large."
            )
            yield _Found("warning", ("rules", place, "sides"), message, "Leave sides out, unless that is meant.")
        if rule.mode == "point":
            message = "Mode point allows for no sampling error: with small groups a fair model often fails it, and an unfair one passes."
            yield _Found("warning", ("rules", place, "mode"), message, "Leave mode out, unless somebody prescribes it.")


def _contradictions(policy: Policy, known: Known) -> Iterator[_Found]:  # noqa: ARG001 - every check is asked alike
    for (_, first), (place, second) in combinations(enumerate(policy.rules), 2):
        if not _overlap(first, second):
            continue
        bounds = (bound_of(first), bound_of(second))
        point = max(bounds[0].low, bounds[1].low) == min(bounds[0].high, bounds[1].high)
        only = point and bounds[0] != bounds[1] and range_of(first.stage, first.metric) is not None
        if not bounds[0].meets(bounds[1]) or (only and "interval" in {first.mode, second.mode}):
            message = f"It contradicts the rule {first.id!r}: nothing is both {bounds[0]} and {bounds[1]}."
            yield _Found("error", ("rules", place), message)
        elif bounds[0] == bounds[1] and first.values == second.values and first.mode == second.mode:
            yield _Found("warning", ("rules", place), f"It says the same as the rule {first.id!r}.", "Leave one out.")


def _overlap(first: Rule, second: Rule) -> bool:
    keys = [(one.stage, one.metric, one.facet, one.reference) for one in (first, second)]
    if keys[0] != keys[1]:
        return False
    named = [set(one.values) for one in (first, second) if one.values is not None]
    left_out = {*first.except_values, *second.except_values}
    return len(named) == 0 or bool(set.intersection(*named) - left_out)


def _small_groups(policy: Policy, known: Known) -> Iterator[_Found]:
    for place, rule in enumerate(policy.rules):
        for subject in subjects_of(rule, policy, known.measures) if known.measures else ():
            words = None if subject.measure is None else too_few_rows(subject.measure, bound_of(rule), rule)
            if words is not None:
                yield _Found("warning", ("rules", place), words)


def _waivers(policy: Policy, known: Known, today: datetime.date) -> Iterator[_Found]:
    rules = {one.id: one for one in policy.rules}
    for place, waiver in enumerate(policy.waivers):
        rule, path = rules[waiver.rule], ("waivers", place)
        value = waiver.facet_value
        if waiver.expires < today:
            yield _Found("warning", (*path, "expires"), f"The waiver of {rule.id!r} expired on {waiver.expires}.")
        elif waiver.expires - today <= SOON:
            days = (waiver.expires - today).days
            yield _Found(
                "warning", (*path, "expires"), f"The waiver of {rule.id!r} ends in {days} days, on {waiver.expires}."
            )
        if waiver.granted > today:
            yield _Found(
                "warning", (*path, "granted"), f"The waiver of {rule.id!r} does not count before {waiver.granted}."
            )
        if value is not None and (
            value in rule.except_values or (rule.values is not None and value not in rule.values)
        ):
            message = f"The waiver is for {rule.facet} = {value}, which the rule {rule.id!r} is not about."
            yield _Found("error", (*path, "facet_value"), message, nearest(value, rule.values or ()))
        elif value is not None and _lacks(known, rule, value):
            message = f"The waiver is for {rule.facet} = {value}, which the data do not have."
            yield _Found("warning", (*path, "facet_value"), message)
        if bound_of(rule).holds(waiver.up_to):
            message = f"The waiver covers nothing: {waiver.up_to:g} is within the bound {bound_of(rule)}."
            yield _Found("warning", (*path, "up_to"), message)


def _lacks(known: Known, rule: Rule, value: str) -> bool:
    """Whether the data have the rule's facet, and not this value of it."""
    values = {one.facet_value for one in known.measures if one.facet == rule.facet}
    return bool(values) and value not in values


_CHECKS: tuple[Callable[[Policy, Known], Iterator[_Found]], ...] = (
    _empty,
    _metrics,
    _facets,
    _subjects,
    _bounds,
    _comparisons,
    _sides,
    _contradictions,
    _small_groups,
)
_BY_ITSELF: tuple[Callable[[Policy, Known], Iterator[_Found]], ...] = (
    _metrics,
    _facets,
    _comparisons,
    _bounds,
    _contradictions,
)
