"""Where there is no verdict, because the evidence does not belong together or something outside failed: each form says why."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

from clarify_ops.gate.marked import plain
from clarify_ops.report.verdict_annotations import escaped
from clarify_ops.report.verdict_junit import document, xml_text
from clarify_ops.report.verdict_sarif import log
from clarify_ops.report.verdict_words import visible


def refused_junit(sentence: str, status: int) -> str:
    """One test case with an error."""
    counts = {"tests": "1", "failures": "0", "errors": "1"}
    root = ElementTree.Element("testsuites", {"name": "clarify-ops gate", **counts})
    suite = ElementTree.SubElement(root, "testsuite", {"name": "gate", **counts})
    case = ElementTree.SubElement(suite, "testcase", {"name": "there is a verdict", "classname": "gate"})
    message = {"type": f"exit status {status}", "message": xml_text(visible(sentence))}
    ElementTree.SubElement(case, "error", message)
    return document(root)


def refused_markdown(sentence: str, status: int) -> str:
    """A heading and the sentence."""
    return f"## Gate: no verdict\n\n{plain(visible(sentence))}\n\nExit status {status}.\n"


def refused_sarif(sentence: str, status: int) -> str:
    """A log of a run that did not come to its end."""
    notification = {"level": "error", "message": {"text": visible(sentence)}}
    invocation: dict[str, Any] = {
        "executionSuccessful": False,
        "exitCode": status,
        "toolExecutionNotifications": [notification],
    }
    run = {"tool": {"driver": {"name": "clarify-ops"}}, "invocations": [invocation], "results": []}
    return json.dumps(log(run), indent=2) + "\n"


def refused_annotation(sentence: str) -> str:
    """An error without a place."""
    return f"::error title=Gate%3A no verdict::{escaped(visible(sentence))}\n"
