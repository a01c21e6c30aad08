"""What every registry must do. Its tests inherit both contracts and give them a fixture named `place`."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest

from clarify_ops.errors import BadInput, Refused
from clarify_ops.registry.audit import audit
from clarify_ops.registry.contents import COMPLETE_TAG, EVIDENCE_TAG
from clarify_ops.registry.history import events
from clarify_ops.registry.promotion import promote, rollback
from clarify_ops.registry.protocol import Candidate, RegisteredVersion, Registry

from .candidates import make_candidate

TODAY = datetime.date(2026, 11, 20)
AFTER_THE_WAIVER = datetime.date(2027, 4, 1)


class Place(Protocol):
    """A registry under test, and ways to do behind its back what anybody with access can do."""

    @property
    def registry(self) -> Registry:
        """What is tested."""
        ...

    def name(self) -> str:
        """A name of a model that nobody has used."""
        ...

    def rewrite(self, version: RegisteredVersion, document: str, content: bytes) -> None:
        """Overwrites a document, or adds one."""
        ...

    def remove(self, version: RegisteredVersion, document: str) -> None:
        """Removes a document."""
        ...

    def exchange(self, version: RegisteredVersion, file: str, content: bytes) -> None:
        """Overwrites a file of the model, or adds one."""
        ...

    def tag(self, version: RegisteredVersion, key: str, value: str | None) -> None:
        """Sets a tag, or takes it away (None)."""
        ...

    def intrude(self, model: str) -> RegisteredVersion:
        """Makes a version as anybody can, without evidence."""
        ...

    def call(self, version: RegisteredVersion, alias: str) -> None:
        """Gives an alias by hand."""
        ...


Spoil = Callable[[Place, RegisteredVersion], None]

SPOILT: dict[str, tuple[Spoil, str]] = {
    "no tag": (lambda place, one: place.tag(one, EVIDENCE_TAG, None), "nothing tells how it came here"),
    "another tag": (
        lambda place, one: place.tag(one, EVIDENCE_TAG, f"sha256:{'0' * 64}"),
        "its evidence has the digest",
    ),
    "a better verdict in the tag": (
        lambda place, one: place.tag(one, "clarify_ops.verdict", "INCONCLUSIVE"),
        "its tag says INCONCLUSIVE",
    ),
    "never finished": (lambda place, one: place.tag(one, COMPLETE_TAG, None), "never finished"),
    "no evidence": (lambda place, one: place.remove(one, "evidence.json"), "its evidence.json is missing"),
    "evidence that is none": (
        lambda place, one: place.rewrite(one, "evidence.json", b'{"version": "1", "cla'),
        "evidence.json is not valid JSON",
    ),
    "no report": (lambda place, one: place.remove(one, "report.html"), "the document report.html is missing"),
    "an edited report": (
        lambda place, one: place.rewrite(one, "report.html", b"<h1>All is well</h1>"),
        "the document report.html was changed",
    ),
    "an edited document in a folder": (
        lambda place, one: place.rewrite(one, "training/step.json", b"{}"),
        "the document training/step.json was changed",
    ),
    "an edited list": (
        lambda place, one: place.rewrite(one, "contents.json", b'{"documents": {}, "model": {}}'),
        "its contents.json was changed",
    ),
    "another model": (
        lambda place, one: place.exchange(one, "data/model.skops", b"weights of another"),
        "the model's files are not those",
    ),
    "one more model file": (
        lambda place, one: place.exchange(one, "data/more.skops", b"more"),
        "the model's files are not those",
    ),
}


class _Contract:
    @pytest.fixture
    def model(self, place: Place) -> str:
        return place.name()

    @pytest.fixture
    def make(self, tmp_path: Path) -> Callable[..., Candidate]:
        return lambda *seed, **wishes: make_candidate(tmp_path, *seed, **wishes)

    @pytest.fixture
    def candidate(self, make: Callable[..., Candidate]) -> Candidate:
        return make()


class EvidenceContract(_Contract):
    """Whatever is spoilt is seen: inherited by the tests of a registry, wherever it keeps documents in another way."""

    @pytest.mark.parametrize("fault", SPOILT)
    def test_what_does_not_verify_is_neither_promoted_nor_overlooked(
        self, place: Place, model: str, candidate: Candidate, fault: str
    ) -> None:
        place.registry.register(candidate, model, "challenger")
        spoil, words = SPOILT[fault]
        assert audit(place.registry, model, today=TODAY).exit_status == 0
        spoil(place, place.registry.versions(model)[0])
        before = place.registry.versions(model)
        with pytest.raises(Refused, match=words):
            promote(place.registry, model, "1", reason="r", by="me", today=TODAY)
        assert place.registry.versions(model) == before
        found = audit(place.registry, model, today=TODAY)
        assert found.exit_status == 3
        assert any(words in problem for problem in found.findings[0].problems)

    def test_a_waiver_that_has_ended_since(self, place: Place, model: str, make: Callable[..., Candidate]) -> None:
        place.registry.register(make(waived=True), model, "challenger")
        assert audit(place.registry, model, today=TODAY).exit_status == 0
        with pytest.raises(Refused, match="the waiver of the rule label-gap expired on 2027-03-31"):
            promote(place.registry, model, "1", reason="r", by="me", today=AFTER_THE_WAIVER)


class RegistryContract(_Contract):
    """What it does: inherited by the tests of a registry."""

    def test_a_version_is_found_with_its_evidence(self, place: Place, model: str, candidate: Candidate) -> None:
        told = place.registry.register(candidate, model, "challenger")
        (found,) = place.registry.versions(model)
        assert (found.model, found.version) == (told.model, told.version) == (model, "1")
        assert found.evidence == candidate.evidence_digest
        assert (found.verdict, found.complete, found.aliases) == ("PASS", True, ("challenger",))
        assert told.alias == "challenger"
        assert datetime.datetime.fromisoformat(found.created).tzinfo is not None

    def test_all_that_was_registered_is_fetched(
        self, place: Place, model: str, candidate: Candidate, tmp_path: Path
    ) -> None:
        place.registry.register(candidate, model, "challenger")
        (tmp_path / "fetched").mkdir()
        place.registry.fetch(place.registry.versions(model)[0], tmp_path / "fetched")
        for name, path in candidate.documents.items():
            assert (tmp_path / "fetched" / "documents" / name).read_bytes() == path.read_bytes()
        sent = {one.relative_to(candidate.model) for one in candidate.model.rglob("*") if one.is_file()}
        model_folder = tmp_path / "fetched" / "model"
        assert {one.relative_to(model_folder) for one in model_folder.rglob("*") if one.is_file()} == sent
        assert all((model_folder / one).read_bytes() == (candidate.model / one).read_bytes() for one in sent)

    def test_the_same_evidence_gives_the_same_version(self, place: Place, model: str, candidate: Candidate) -> None:
        first = place.registry.register(candidate, model, "challenger")
        again = place.registry.register(candidate, model, "challenger")
        assert (again.version, again.alias) == (first.version, "challenger")
        assert len(place.registry.versions(model)) == 1

    def test_versions_count_up_and_the_alias_moves(
        self, place: Place, model: str, make: Callable[..., Candidate]
    ) -> None:
        for seed in (1, 2):
            place.registry.register(make(seed), model, "challenger")
        assert [(one.version, one.aliases) for one in place.registry.versions(model)] == [
            ("1", ()),
            ("2", ("challenger",)),
        ]

    def test_an_old_registration_that_is_done_again_takes_no_alias_back(
        self, place: Place, model: str, make: Callable[..., Candidate]
    ) -> None:
        old, new = make(1), make(2)
        place.registry.register(old, model, "challenger")
        place.registry.register(new, model, "challenger")
        assert place.registry.register(old, model, "challenger").version == "1"
        assert [one.aliases for one in place.registry.versions(model)] == [(), ("challenger",)]

    def test_all_models_are_listed_by_name_and_number(self, place: Place, make: Callable[..., Candidate]) -> None:
        names = sorted((place.name(), place.name()))
        for name in reversed(names):
            place.registry.register(make(names.index(name)), name, "challenger")
        listed = [one.model for one in place.registry.versions() if one.model in names]
        assert listed == names
        assert place.registry.versions(place.name()) == ()

    @pytest.mark.parametrize(("outcome", "inconclusive"), [("FAIL", "warn"), ("INCONCLUSIVE", "block")])
    def test_a_verdict_that_does_not_let_it_in(
        self, place: Place, model: str, make: Callable[..., Candidate], outcome: str, inconclusive: str
    ) -> None:
        with pytest.raises(Refused, match=f"The verdict is {outcome}"):
            place.registry.register(make(outcome=outcome, inconclusive=inconclusive), model, "challenger")
        assert place.registry.versions(model) == ()

    def test_an_inconclusive_verdict_that_the_policy_lets_in(
        self, place: Place, model: str, make: Callable[..., Candidate]
    ) -> None:
        place.registry.register(make(outcome="INCONCLUSIVE", inconclusive="warn"), model, "challenger")
        assert promote(place.registry, model, "1", reason="r", by="me", today=TODAY).verdict == "INCONCLUSIVE"

    def test_evidence_of_another_candidate(self, place: Place, model: str, make: Callable[..., Candidate]) -> None:
        one, other = make(1), make(2)
        foreign = {
            "digest": replace(one, evidence_digest=other.evidence_digest),
            "model": replace(one, model=other.model),
            "verdict": replace(one, release=replace(one.release, verdict=make(3, waived=True).release.verdict)),
            "missing": replace(one, documents={"report.html": one.documents["report.html"]}),
        }
        for candidate in foreign.values():
            with pytest.raises(Refused):
                place.registry.register(candidate, model, "challenger")
        assert place.registry.versions(model) == ()

    def test_a_recorded_candidate_is_no_version(self, place: Place, make: Callable[..., Candidate]) -> None:
        before = {(one.model, one.version) for one in place.registry.versions()}
        told = place.registry.record(make(outcome="FAIL"))
        assert (told.model, told.version, told.alias) == (None, None, None)
        assert {(one.model, one.version) for one in place.registry.versions()} == before

    def test_promoting_keeps_who_and_why(self, place: Place, model: str, candidate: Candidate) -> None:
        place.registry.register(candidate, model, "challenger")
        promoted = promote(
            place.registry, model, "challenger", reason="The committee said so.", by="Ada Lindqvist", today=TODAY
        )
        assert "champion" in promoted.aliases
        (event,) = events(place.registry.versions(model), "champion")
        assert event.version == "1"
        assert event.words.startswith("promoted by Ada Lindqvist")
        assert "The committee said so" in event.words

    def test_promoting_what_is_not_there(self, place: Place, model: str, candidate: Candidate) -> None:
        place.registry.register(candidate, model, "challenger")
        with pytest.raises(BadInput, match=r"has no version '7'"):
            promote(place.registry, model, "7", reason="r", by="me", today=TODAY)
        with pytest.raises(BadInput, match="has no version of"):
            promote(place.registry, place.name(), "1", reason="r", by="me", today=TODAY)

    def test_rolling_back_passes_over_what_does_not_verify(
        self, place: Place, model: str, make: Callable[..., Candidate]
    ) -> None:
        for seed in (1, 2, 3):
            place.registry.register(make(seed), model, "challenger")
            promote(place.registry, model, str(seed), reason="next", by="me", today=TODAY)
        place.rewrite(place.registry.versions(model)[1], "report.html", b"edited")
        back = rollback(place.registry, model, reason="Complaints from the branches.", by="Ada", today=TODAY)
        assert back.version == "1"
        assert "champion" in back.aliases
        assert [one.version for one in place.registry.versions(model) if "champion" in one.aliases] == ["1"]
        last = events(place.registry.versions(model), "champion")[-1]
        assert last.words.startswith("rolled back by Ada: Complaints from the branches")
        before = place.registry.versions(model)
        with pytest.raises(Refused, match=r"no version of .* that the alias champion can return to"):
            rollback(place.registry, model, reason="again", by="Ada", today=TODAY)
        assert place.registry.versions(model) == before

    def test_rolling_back_goes_on_from_where_it_went(
        self, place: Place, model: str, make: Callable[..., Candidate]
    ) -> None:
        for seed in (1, 2, 3):
            place.registry.register(make(seed), model, "challenger")
            promote(place.registry, model, str(seed), reason="next", by="me", today=TODAY)
        went = [rollback(place.registry, model, reason="r", by="me", today=TODAY).version for _ in range(2)]
        assert went == ["2", "1"]

    def test_an_intruder_is_found_and_loses_its_alias(self, place: Place, model: str, candidate: Candidate) -> None:
        place.registry.register(candidate, model, "challenger")
        promote(place.registry, model, "1", reason="r", by="me", today=TODAY)
        intruder = place.intrude(model)
        place.call(intruder, "champion")
        (found,) = audit(place.registry, model, today=TODAY).findings
        assert (found.version, found.aliases, found.demoted) == (intruder.version, ("champion",), ())
        (demoted,) = audit(place.registry, model, today=TODAY, demote=True, by="cron").findings
        assert demoted.demoted == ("champion",)
        assert not any("champion" in one.aliases for one in place.registry.versions(model))
        assert len(place.registry.versions(model)) == 2
        # It stays where it is, and is told of until somebody removes it; but nothing is left to take from it.
        (again,) = audit(place.registry, model, today=TODAY, demote=True, by="cron").findings
        assert (again.aliases, again.demoted) == ((), ())
        assert rollback(place.registry, model, reason="intruder", by="me", today=TODAY).version == "1"

    def test_an_alias_is_taken_only_from_who_has_it(
        self, place: Place, model: str, make: Callable[..., Candidate]
    ) -> None:
        for seed in (1, 2):
            place.registry.register(make(seed), model, "challenger")
            promote(place.registry, model, str(seed), reason="next", by="me", today=TODAY)
        first, second = place.registry.versions(model)
        assert "champion" not in place.registry.drop_alias(first, "champion", "too late").aliases
        assert "champion" in place.registry.versions(model)[1].aliases
        assert "champion" not in place.registry.drop_alias(second, "champion", "dropped by me").aliases
