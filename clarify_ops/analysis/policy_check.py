"""What is wrong with a policy before anything is measured: names that nothing has, and bounds that nothing can keep."""

from __future__ import annotations

import itertools
from collections.abc import Collection

from clarify_ops.analysis.notes import FACTS
from clarify_ops.bias.table import BY_NAME, METRICS
from clarify_ops.config.policy import Policy, Rule
from clarify_ops.errors import BadDocument, nearest
from clarify_ops.gate.bounds import Bound, bound_of, scale_of
from clarify_ops.measures import STAGES
from clarify_ops.quality.performance import QUALITY

_BIAS = frozenset({"pre_training", "post_training"})
# Their range is that of a share; other quality metrics say nothing of theirs.
_SHARES = frozenset({"auc", "accuracy", "precision", "recall", "specificity", "positive_rate", "brier"})
_SHARE = Bound(0.0, 1.0)


def known_metrics(stage: str) -> tuple[str, ...]:
    """Names of all that is measured in a stage."""
    if stage == "champion":
        return tuple(one.name for one in METRICS if one.stage == "post_training") + known_metrics("quality")
    found = [one.name for one in METRICS if one.stage == stage] + [one.name for one in FACTS if one.stage == stage]
    return tuple(dict.fromkeys(found + [one.name for one in QUALITY if stage == "quality"]))


def check_policy(policy: Policy, facets: Collection[str] | None = None) -> None:
    """Refuses a policy that is wrong by itself.

    An empty policy is not: it is judged, and fails.

    Args:
        policy: The policy.
        facets: Names of the facets and intersections that are analysed; None where that is not known.

    Raises:
        BadDocument: A metric or facet is unknown, a bound can never be kept, or two rules contradict each other.
    """
    for rule in policy.rules:
        _check_names(rule, facets)
        _check_groups(rule)
        _check_bound(rule)
    for first, second in itertools.combinations(policy.rules, 2):
        _check_pair(first, second)


def _check_names(rule: Rule, facets: Collection[str] | None) -> None:
    known = known_metrics(rule.stage)
    if rule.metric not in known:
        elsewhere = [stage for stage in STAGES if rule.metric in known_metrics(stage)]
        hint = f"It is measured in stage {elsewhere[0]}." if elsewhere else nearest(rule.metric, known)
        raise BadDocument(
            f"The rule {rule.id!r} is about the metric {rule.metric!r}, which stage {rule.stage} does not have.", hint
        )
    if rule.facet is None and (rule.stage in _BIAS or (rule.stage == "champion" and rule.metric in BY_NAME)):
        raise BadDocument(
            f"The rule {rule.id!r} is about {rule.metric}, which compares groups, but names no facet.",
            f"Name one, for example facet: {min(facets)}." if facets else "Name one under facet.",
        )
    if rule.facet is not None and facets is not None and rule.facet not in facets:
        raise BadDocument(
            f"The rule {rule.id!r} is about the facet {rule.facet!r}, which is not analysed.",
            nearest(rule.facet, facets),
        )


def _check_groups(rule: Rule) -> None:
    both = [value for value in rule.values or () if value in rule.except_values]
    if both:
        raise BadDocument(f"The rule {rule.id!r} names {rule.facet} = {both[0]} among its values and its exceptions.")
    if rule.reference is None:
        return
    if rule.stage not in _BIAS:
        raise BadDocument(
            f"The rule {rule.id!r} has a reference, but {rule.metric} in stage {rule.stage} compares no groups.",
            "Only bias metrics do.",
        )
    if rule.reference in (rule.values or ()):
        raise BadDocument(
            f"The rule {rule.id!r} compares {rule.facet} = {rule.reference} with itself.",
            "Take the reference out of its values.",
        )


def _check_bound(rule: Rule) -> None:
    bound = bound_of(rule)
    if rule.within is not None and scale_of(rule) is None:
        raise BadDocument(
            f"The rule {rule.id!r} has within, but {rule.metric} neither has a sign nor is a ratio.",
            "Write min or max.",
        )
    mirrored = rule.sides == "two" and rule.within is None and bound.ends != (rule.min, rule.max)
    hint = "With both sides that is what it means; sides: one keeps the side that is written." if mirrored else ""
    if bound.low > bound.high:
        raise BadDocument(
            f"The bound of the rule {rule.id!r} can never be kept: {bound.low:g} to {bound.high:g}.", hint
        )
    reach = _range(rule)
    if reach is None:
        return
    kept = Bound(max(bound.low, reach.low), min(bound.high, reach.high))
    # An interval has a length: it is never within a single value.
    if kept.low > kept.high or (kept.low == kept.high and rule.mode == "interval"):
        why = f"{rule.metric} lies between {reach.low:g} and {reach.high:g}"
        raise BadDocument(
            f"The bound of the rule {rule.id!r} ({bound}) can never be kept: {why}, and an interval has a length.", hint
        )


def _range(rule: Rule) -> Bound | None:
    """Between what all values lie; None where that is not known, or where the value is a plain fact."""
    if rule.stage in _BIAS:
        return Bound(BY_NAME[rule.metric].low, BY_NAME[rule.metric].high)
    return _SHARE if rule.stage == "quality" and rule.metric in _SHARES else None


def _check_pair(first: Rule, second: Rule) -> None:
    about = [(one.stage, one.metric, one.facet, one.reference) for one in (first, second)]
    if about[0] != about[1] or not _share_a_group(first, second):
        return
    one, other = bound_of(first), bound_of(second)
    point = max(one.low, other.low) == min(one.high, other.high)
    by_interval = "interval" in {first.mode, second.mode} and _range(first) is not None
    if not one.meets(other) or (point and by_interval):
        raise BadDocument(
            f"The rules {first.id!r} ({one}) and {second.id!r} ({other}) contradict each other: nothing is within both."
        )


def _share_a_group(first: Rule, second: Rule) -> bool:
    if first.values is not None and second.values is not None:
        return bool(set(first.values) & set(second.values))
    named, other = (first, second) if first.values is not None else (second, first)
    return named.values is None or any(value not in other.except_values for value in named.values)
