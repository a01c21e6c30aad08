"""A registration that dies, is made twice or loses an answer ends as one version."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from clarify_ops.errors import Outside, Refused
from clarify_ops.registry.contents import COMPLETE_TAG
from clarify_ops.registry.protocol import Candidate, RegisteredVersion
from clarify_ops.registry.sagemaker_registering import DUPLICATE_TAG
from clarify_ops.registry.sagemaker_registry import SageMakerRegistry

from .place import SageMakerPlace
from .server import Aws, Call, refusal


def shown(versions: tuple[RegisteredVersion, ...]) -> list[tuple[str, str | None, tuple[str, ...]]]:
    return [(one.version, one.status, one.aliases) for one in versions]


@pytest.mark.parametrize(
    "operation", ["DescribeModelPackageGroup", "CreateModelPackageGroup", "CreateModelPackage", "UpdateModelPackage"]
)
@pytest.mark.parametrize("alias", ["challenger", "champion"])
def test_what_died_in_between_is_finished_by_the_next(
    aws: Aws, place: SageMakerPlace, candidate: Candidate, operation: str, alias: str
) -> None:
    name = place.name()
    aws.answer = refusal(operation, "InternalFailure", "We are sorry.", 500)
    with pytest.raises(Outside, match=f"refused {operation}: InternalFailure: We are sorry"):
        place.registry.register(candidate, name, alias)
    aws.answer = None
    assert not any(one.aliases or one.complete for one in place.registry.versions(name))
    told = place.registry.register(candidate, name, alias)
    assert (told.version, told.alias) == ("1", alias)
    (found,) = place.registry.versions(name)
    assert (found.complete, found.aliases) == (True, (alias,))


def test_uploads_that_fail_make_no_version(aws: Aws, place: SageMakerPlace, candidate: Candidate) -> None:
    name = place.name()
    aws.answer = lambda call: (503, {}) if call.operation == "PUT" and "report.html" in call.path else None
    with pytest.raises(Outside):
        place.registry.register(candidate, name, "challenger")
    assert aws.asked("CreateModelPackage") == []
    assert place.registry.versions(name) == ()


def test_an_answer_that_is_lost_makes_no_second_version_that_counts(
    aws: Aws, place: SageMakerPlace, candidate: Candidate
) -> None:
    """boto3 asks again by itself, and moto, unlike AWS, does not know the token: the lowest version wins."""
    name = place.name()
    aws.lost = ["CreateModelPackage"]
    told = place.registry.register(candidate, name, "champion")
    first, again = aws.asked("CreateModelPackage")
    assert first == again, "the same token, so that AWS makes one version"
    assert told.version == "1"
    versions = place.registry.versions(name)
    assert shown(versions) == [("1", "Approved", ("champion",)), ("2", "Rejected", ())]
    assert versions[1].tags[DUPLICATE_TAG] == "1"
    assert place.described(versions[1])["ApprovalDescription"] == "The same evidence as version 1, which counts."


def test_another_try_with_the_same_token_was_faster(aws: Aws, place: SageMakerPlace, candidate: Candidate) -> None:
    """AWS says so with a ConflictException, as its model has it; the version is found by its evidence."""
    name = place.name()
    other = SageMakerRegistry(place.registry.uri, clients=place.registry.clients)

    def conflict(call: Call) -> tuple[int, dict[str, str]] | None:
        if call.operation != "CreateModelPackage":
            return None
        aws.answer = None
        other.register(candidate, name, "challenger")
        return 400, {"__type": "ConflictException", "message": "The token was used with other parameters."}

    aws.answer = conflict
    assert place.registry.register(candidate, name, "challenger").version == "1"
    assert shown(place.registry.versions(name)) == [("1", "PendingManualApproval", ("challenger",))]


def test_a_group_that_another_made_in_between(aws: Aws, place: SageMakerPlace, candidate: Candidate) -> None:
    name = place.name()
    place.sagemaker.create_model_package_group(ModelPackageGroupName=name)
    absent = refusal("DescribeModelPackageGroup", "ValidationException", f"ModelPackageGroup {name} does not exist.")
    present = refusal("CreateModelPackageGroup", "ValidationException", f"Model Package Group already exists: {name}")
    aws.answer = lambda call: absent(call) or present(call)
    assert place.registry.register(candidate, name, "challenger").version == "1"


def test_two_at_once_end_as_one(place: SageMakerPlace, candidate: Candidate) -> None:
    name = place.name()
    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(lambda _: place.registry.register(candidate, name, "champion"), range(2)))
    assert [one.version for one in told] == ["1", "1"]
    versions = place.registry.versions(name)
    assert [one.version for one in versions if one.status == "Approved"] == ["1"]
    assert all(one.complete for one in versions)


def test_a_list_that_lags_behind(aws: Aws, place: SageMakerPlace, candidate: Candidate) -> None:
    name = place.name()
    empty: Iterator[dict[str, list[str]]] = iter([{"ModelPackageSummaryList": []}] * 3)

    def lagging(call: Call) -> tuple[int, dict[str, list[str]]] | None:
        document = next(empty, None) if call.operation == "ListModelPackages" else None
        return None if document is None else (200, document)

    aws.answer = lagging
    assert place.registry.register(candidate, name, "challenger").version == "1"


def test_what_a_person_rejected_stays_rejected(place: SageMakerPlace, candidate: Candidate) -> None:
    name = place.name()
    place.registry.register(candidate, name, "champion")
    place.registry.drop_alias(place.registry.versions(name)[0], "champion", "dropped by Ada: complaints")
    told = place.registry.register(candidate, name, "champion")
    assert (told.version, told.alias) == ("1", None)
    assert shown(place.registry.versions(name)) == [("1", "Rejected", ())]


def test_an_unfinished_version_takes_no_alias(place: SageMakerPlace, candidate: Candidate) -> None:
    name = place.name()
    place.registry.register(candidate, name, "challenger")
    place.tag(place.registry.versions(name)[0], COMPLETE_TAG, None)
    (version,) = place.registry.versions(name)
    with pytest.raises(Refused, match="its registration was never finished"):
        place.registry.move_alias(version, "champion", "r")
    assert shown(place.registry.versions(name)) == [("1", "PendingManualApproval", ())]


def test_a_move_that_died_in_between_is_finished_by_the_next(
    aws: Aws, place: SageMakerPlace, make: Callable[..., Candidate]
) -> None:
    """The new champion is approved before the old one is rejected: for a moment there are two, never none."""
    name = place.name()
    for seed in (1, 2):
        place.registry.register(make(seed), name, "champion" if seed == 1 else "challenger")
    aws.answer = lambda call: (
        (500, {"__type": "InternalFailure", "message": "no"})
        if call.operation == "UpdateModelPackage" and call.arguments["ModelPackageArn"].endswith("/1")
        else None
    )
    second = place.registry.versions(name)[1]
    with pytest.raises(Outside):
        place.registry.move_alias(second, "champion", "promoted by me: better")
    aws.answer = None
    assert [one.aliases for one in place.registry.versions(name)] == [("champion",), ("champion",)]
    place.registry.move_alias(second, "champion", "promoted by me: better")
    assert [one.aliases for one in place.registry.versions(name)] == [(), ("champion",)]


def test_what_lacks_files_is_not_finished_but_made_again(aws: Aws, place: SageMakerPlace, candidate: Candidate) -> None:
    name = place.name()
    aws.answer = refusal("UpdateModelPackage", "InternalFailure", "no", 500)
    with pytest.raises(Outside):
        place.registry.register(candidate, name, "champion")
    aws.answer = None
    place.remove(place.registry.versions(name)[0], "report.html")
    assert place.registry.register(candidate, name, "champion").version == "2"
    versions = place.registry.versions(name)
    assert shown(versions) == [("1", "Rejected", ()), ("2", "Approved", ("champion",))]
    said = place.described(versions[0])["ApprovalDescription"]
    assert said == "Its registration died: the document report.html is missing. It can be deleted."
    first, second = aws.asked("CreateModelPackage")[:1] + aws.asked("CreateModelPackage")[-1:]
    assert first["ClientToken"] != second["ClientToken"], "or AWS would answer with the version that died"
    assert place.registry.register(candidate, name, "champion").version == "2"


def test_a_whole_version_that_was_changed_since_is_not_registered_over(
    aws: Aws, place: SageMakerPlace, candidate: Candidate
) -> None:
    name = place.name()
    place.registry.register(candidate, name, "champion")
    place.rewrite(place.registry.versions(name)[0], "report.html", b"<h1>All is well</h1>")
    with pytest.raises(Refused, match=r"has this evidence, but does not verify: the document report\.html was changed"):
        place.registry.register(candidate, name, "champion")
    assert len(aws.asked("CreateModelPackage")) == 1


def test_an_old_registration_is_not_approved_over_a_later_one(
    aws: Aws, place: SageMakerPlace, make: Callable[..., Candidate]
) -> None:
    name = place.name()
    old, new = make(1), make(2)
    aws.answer = refusal("UpdateModelPackage", "InternalFailure", "no", 500)
    with pytest.raises(Outside):
        place.registry.register(old, name, "champion")
    aws.answer = None
    place.registry.register(new, name, "champion")
    told = place.registry.register(old, name, "champion")
    assert (told.version, told.alias) == ("1", "challenger")
    assert [one.aliases for one in place.registry.versions(name)] == [("challenger",), ("champion",)]
