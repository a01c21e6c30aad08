"""The index of clauses: it says what supports a clause and what is not there, and never that a clause is kept."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clarify_ops.card import cards, clause_index, render_clauses
from clarify_ops.card import clauses as table
from clarify_ops.card.clause_index import KINDS
from clarify_ops.card.clauses import CLAUSES, DATE, FRAMEWORKS
from clarify_ops.documents import digest_bytes
from tests.card.attached import BESIDE, PLACE
from tests.factories import DIGEST, release

# What a tool must not say of a law.
CLAIMS = re.compile(
    r"complian|complie|comply|satisf|certif|fulfil|conforms|guarantee|\bmeets\b|\bproves?\b", re.IGNORECASE
)
ALL_WORDS = release(
    card=dict.fromkeys(
        ("owner", "purpose", "intended_uses", "out_of_scope", "caveats", "risk_explanation", "human_oversight"),
        "Words.",
    )
    | {"risk_rating": "Low"}
)


def entries(index: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(one["framework"], one["clause"]): one for one in index["clauses"]}


@pytest.mark.parametrize("whole", [release(), ALL_WORDS, replace(release(), measures=(), digests={})])
def test_it_says_supports_and_never_more(whole: Any) -> None:
    index = clause_index(whole, BESIDE)
    for text in (json.dumps(index), render_clauses(index)):
        assert not CLAIMS.search(text)
        assert "supports" in text


@pytest.mark.parametrize("name", ["clarify_ops/card/clauses.py", "clarify_ops/card/clause_index.py", "docs/cards.md"])
def test_nor_do_the_sources_and_the_docs(root: Path, name: str) -> None:
    assert not CLAIMS.search((root / name).read_text(encoding="utf-8"))


def test_the_table_is_whole() -> None:
    assert {kind for one in CLAUSES for kind in one.kinds} == KINDS.keys()
    assert {one.framework for one in CLAUSES} == FRAMEWORKS.keys()
    assert len({(one.framework, one.id) for one in CLAUSES}) == len(CLAUSES)
    assert all(one.kinds for one in CLAUSES)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", DATE)
    assert table.VERSION


def test_every_clause_is_listed_with_what_there_is_and_what_there_is_not() -> None:
    index = clause_index(release(), BESIDE)
    assert len(index["clauses"]) == len(CLAUSES)
    for one, clause in zip(index["clauses"], CLAUSES, strict=True):
        assert sorted(one["supported_by"] + one["not_there"]) == sorted(clause.kinds)
    assert index["evidence"].keys() | index["not_there"].keys() == KINDS.keys()
    assert not index["evidence"].keys() & index["not_there"].keys()


def test_evidence_is_named_by_file_and_digest() -> None:
    index = clause_index(release(), replace(BESIDE, place=PLACE))
    assert index["evidence"]["posttraining_bias"]["files"] == [
        {"file": f"{PLACE}posttraining_bias/metrics.json", "digest": DIGEST, "of": "its bytes"}
    ]
    assert {"file": f"{PLACE}evidence.json", "digest": DIGEST, "of": "its claims"} in index["evidence"]["decision"][
        "files"
    ]
    # Without the files, the digest is that of what they are about.
    alone = clause_index(release())["evidence"]["posttraining_bias"]["files"]
    bound = release(digests={"predictions": DIGEST})
    assert alone == [{"file": "posttraining_bias/metrics.json"}]
    assert clause_index(bound)["evidence"]["posttraining_bias"]["files"][0]["of"] == "the predictions it is about"


def test_what_is_not_there_is_said() -> None:
    found = entries(clause_index(release(), BESIDE))
    for clause in ("1(h)", "2(h)", "8", "9"):
        assert found["eu_ai_act_annex_iv", clause]["supported_by"] == []
    assert found["eu_ai_act_annex_iv", "2(e)"]["not_there"] == ["human_oversight"]
    assert found["eu_ai_act_annex_iv", "2(g)"]["not_there"] == ["signature"]
    text = render_clauses(clause_index(release(), BESIDE))
    assert "nothing of this release" in text
    row = next(line for line in text.splitlines() if line.startswith("| Human oversight |"))
    assert "AI Act, Annex IV 2(e)" in row
    assert entries(clause_index(ALL_WORDS))["eu_ai_act_annex_iv", "2(e)"]["not_there"] == []


def test_a_signature_is_there_where_there_is_a_key() -> None:
    index = clause_index(release(), replace(BESIDE, signed=True))
    assert index["evidence"]["signature"]["files"] == [{"file": "statement.dsse.json"}]
    assert entries(index)["eu_ai_act_annex_iv", "2(g)"]["not_there"] == []
    assert "| Signature of the evidence | statement.dsse.json | made after this index |" in render_clauses(index)


def test_evidence_that_a_release_lacks_moves_to_what_is_not_there() -> None:
    whole = release()
    bare = replace(
        whole,
        measures=(),
        verdict=replace(whole.verdict, judgements=()),
        digests={},
        explanations=replace(whole.explanations, global_values={}),
    )
    index = clause_index(bare)
    assert {"policy", "waivers", "performance", "posttraining_bias", "explanations", "lineage", "uncertainty"} <= index[
        "not_there"
    ].keys()
    assert entries(index)["nist_ai_rmf", "MEASURE 2.11"]["supported_by"] == []
    assert all(one["why"] for one in index["not_there"].values())


def test_the_traps_are_worded() -> None:
    found = entries(clause_index(release(), BESIDE))
    article = found["gdpr", "Article 22"]["note"]
    assert "solely" in article
    assert "does not by its text give a right to an explanation" in article
    withdrawn = found["nist_csf", "PR.DS-5 (1.1; withdrawn in 2.0)"]["note"]
    assert withdrawn == "Withdrawn in version 2.0, which carries it in PR.DS-01, PR.DS-02 and PR.DS-10."
    assert {"PR.DS-01 (1.1: PR.DS-1)", "PR.DS-02 (1.1: PR.DS-2)"} <= {
        one for framework, one in found if framework == "nist_csf"
    }
    assert "ISO/IEC 42001" in FRAMEWORKS["iso_iec_23894"][2]


def test_the_files_of_the_cards_have_their_own_digests() -> None:
    made = cards(release(), BESIDE)
    index = json.loads(made["clauses.json"])
    for kind, name in (("packages", "bom.cdx.json"), ("model_card", "model_card.md")):
        assert index["evidence"][kind]["files"][0]["digest"] == digest_bytes(made[name].encode())
    assert made["clauses.md"] == render_clauses(index)
