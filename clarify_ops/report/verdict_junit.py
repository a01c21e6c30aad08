"""A verdict as JUnit XML, for the page of tests that every CI system has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree import ElementTree

from clarify_ops.gate.published import Mask, number
from clarify_ops.gate.verdict import Judgement, Verdict
from clarify_ops.report.notes import MetricNote
from clarify_ops.report.verdict_words import (
    FULL,
    Account,
    accounts,
    chance,
    idle_waivers,
    opening,
    rows_words,
    title,
    visible,
    waiver_words,
    what_next,
)

# What XML 1.0 cannot hold, however it is escaped.
_NOT_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render_junit(verdict: Verdict, notes: Mapping[str, MetricNote] | None = None, mask: Mask = FULL) -> str:
    """One test suite with one test case a judgement.

    FAIL is a failure. INCONCLUSIVE is a failure where the policy blocks or asks for approval, and skipped where it only
    warns. What a waiver lifts counts as passed and carries the waiver in its output.

    Args:
        verdict: The verdict.
        notes: How each metric is to be read, by its name.
        mask: Which groups are too small to be published.

    Source: the schema that Jenkins holds results against, junit-10.xsd of its xUnit plugin.
    """
    judged = list(zip(verdict.judgements, accounts(verdict, notes, mask), strict=True))
    failures = sum(_tag(verdict, one) == "failure" for one in verdict.judgements) + (not judged)
    counts = {"tests": str(len(judged) or 1), "failures": str(failures), "errors": "0"}
    root = ElementTree.Element("testsuites", {"name": "clarify-ops gate", **counts})
    skipped = sum(_tag(verdict, one) == "skipped" for one in verdict.judgements)
    suite = ElementTree.SubElement(
        root, "testsuite", {"name": xml_text(verdict.policy), **counts, "skipped": str(skipped)}
    )
    properties = ElementTree.SubElement(suite, "properties")
    facts = {
        "outcome": verdict.outcome,
        "reason": visible(verdict.reason),
        "may_register": str(verdict.may_register).lower(),
        "policy_digest": verdict.policy_digest,
        "confidence": f"{verdict.confidence:g}",
        "inconclusive": verdict.inconclusive,
    }
    for name, value in facts.items():
        ElementTree.SubElement(properties, "property", {"name": name, "value": xml_text(value)})
    for one, account in judged:
        _case(suite, verdict, one, account, mask)
    if not judged:
        case = ElementTree.SubElement(
            suite, "testcase", {"name": "the policy has rules", "classname": xml_text(verdict.policy)}
        )
        ElementTree.SubElement(case, "failure", {"type": "FAIL", "message": xml_text(visible(verdict.reason))})
    ElementTree.SubElement(suite, "system-out").text = xml_text(
        "\n".join((opening(verdict), *what_next(verdict), *idle_waivers(verdict)))
    )
    return document(root)


def document(root: ElementTree.Element) -> str:
    """The text of an XML document."""
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _case(suite: ElementTree.Element, verdict: Verdict, one: Judgement, account: Account, mask: Mask) -> None:
    classname = f"{verdict.policy}.{one.stage}"
    case = ElementTree.SubElement(suite, "testcase", {"name": xml_text(title(one)), "classname": xml_text(classname)})
    tag = _tag(verdict, one)
    if tag is not None:
        message = f"{one.outcome}: {visible(mask.reason(one))}"
        ElementTree.SubElement(case, tag, {"type": one.outcome, "message": xml_text(message)}).text = xml_text(
            account.text
        )
    ElementTree.SubElement(case, "system-out").text = xml_text("\n".join(_facts(one, account, mask)))


def _tag(verdict: Verdict, one: Judgement) -> str | None:
    if one.outcome == "PASS" or one.waived:
        return None
    return "skipped" if one.outcome == "INCONCLUSIVE" and verdict.inconclusive == "warn" else "failure"


def _facts(one: Judgement, account: Account, mask: Mask) -> list[str]:
    hidden = mask.hides(one) or one.value is None
    told = {
        "outcome": account.outcome,
        "value": "" if hidden or one.value is None else number(one.value, (one.min, one.max)),
        "bound": one.bound,
        "from": rows_words(one, mask),
        "family": visible(one.family or one.rule),
        "chance": chance(one, mask),
        "waiver": waiver_words(one),
    }
    return [f"{name}: {value}" for name, value in told.items() if value]


def xml_text(text: str) -> str:
    """Text that XML can hold, line ends as XML reads them."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n").replace("\r", "\n"))
