"""A step's folder is replaced as a whole, by its own step alone, and comes back after whatever ended a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clarify_ops.documents import digest
from clarify_ops.errors import BadInput
from clarify_ops.steps.folder import read_step, step_output


def write(output: Path, step: str = "train", content: str = "one") -> None:
    """A small step."""
    with step_output(step, output, {}) as work:
        work.metrics(())
        (work.folder / "result.txt").write_text(content, encoding="utf-8")


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "output"


def test_a_step_replaces_what_it_wrote(output: Path) -> None:
    write(output)
    write(output, content="two")
    assert (output / "result.txt").read_text(encoding="utf-8") == "two"
    read_step(output, "train").require_untouched()


def test_another_step_does_not(output: Path) -> None:
    """Registering into the folder of the training would delete the model that it registers."""
    write(output)
    with pytest.raises(BadInput, match="is the output of the step train, which register would replace"):
        write(output, "register")
    assert (output / "result.txt").is_file()


def test_nor_does_it_write_into_it(output: Path) -> None:
    write(output)
    with pytest.raises(BadInput, match="lies within"):
        write(output / "release", "register")
    read_step(output, "train").require_untouched()


@pytest.mark.parametrize("first", [True, False], ids=["no step ran there", "a step ran there"])
def test_what_somebody_else_put_there_stays(output: Path, *, first: bool) -> None:
    if not first:
        write(output)
    output.mkdir(exist_ok=True)
    (output / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(BadInput, match=r"thesis\.txt, which no step has written"):
        write(output)
    assert (output / "thesis.txt").is_file()


@pytest.mark.parametrize("existed", [True, False])
def test_an_interrupted_step_leaves_what_was_there(output: Path, *, existed: bool) -> None:
    if existed:
        write(output)
    with pytest.raises(KeyboardInterrupt), step_output("train", output, {}):
        raise KeyboardInterrupt
    assert output.exists() == existed
    if existed:
        read_step(output, "train").require_untouched()


@pytest.mark.parametrize("moved", [0, 1, 2, 3])
def test_a_step_that_was_killed_while_it_moved_its_files(
    output: Path, moved: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is not whole, says so, and is taken by the next run."""
    write(output)
    replace = Path.replace
    calls: list[Path] = []

    def die(self: Path, target: Path) -> Path:
        calls.append(target)
        if target.parent == output and sum(one.parent == output for one in calls) > moved:
            raise KeyboardInterrupt
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", die)
        if moved < 3:
            with pytest.raises(KeyboardInterrupt):
                write(output, content="two")
            assert not (output / "step.json").exists()
    write(output, content="three")
    assert (output / "result.txt").read_text(encoding="utf-8") == "three"
    assert not (output / ".partial").exists()
    read_step(output, "train").require_untouched()


def test_what_a_killed_step_left_is_no_part_of_the_one_before(output: Path) -> None:
    write(output)
    (output / ".partial").mkdir()
    (output / ".partial" / "half").write_text("", encoding="utf-8")
    read_step(output, "train").require_untouched()
    write(output)


def test_two_runs_do_not_write_one_folder(output: Path) -> None:
    with step_output("train", output, {}) as work:
        work.metrics(())
        with pytest.raises(BadInput, match="Another run is writing"):
            write(output)
    read_step(output, "train").require_untouched()


@pytest.mark.parametrize("kind", ["a file", "below a file", "a link to nothing"])
def test_an_output_that_cannot_be_a_folder(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "place"
    if kind == "a link to nothing":
        place.symlink_to(tmp_path / "nothing")
    else:
        place.write_text("", encoding="utf-8")
    with pytest.raises(BadInput, match=r"is not a folder|cannot be made"):
        write(place / "x" if kind == "below a file" else place)


def test_an_output_may_be_a_link_to_a_folder(tmp_path: Path, output: Path) -> None:
    (tmp_path / "real").mkdir()
    output.symlink_to(tmp_path / "real")
    write(output)
    write(output)
    assert (tmp_path / "real" / "step.json").is_file()


def test_files_are_no_part_of_the_claims(output: Path) -> None:
    """Their bytes may differ where the same work was done."""
    write(output)
    step = json.loads((output / "step.json").read_text(encoding="utf-8"))
    assert set(step["envelope"]["files"]) == {"metrics.json", "result.txt"}
    assert step["digest"] == digest(step["claims"])
