"""A verdict in the forms that CI systems and pull requests read, for every verb that has one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer

from clarify_ops.config.lines import PolicySource
from clarify_ops.documents import write_text
from clarify_ops.errors import BadInput, ClarifyOpsError
from clarify_ops.gate.verdict import Verdict
from clarify_ops.measures import Measure


@dataclass(frozen=True)
class VerdictFiles:
    """What is asked for beside the terminal's table.

    Attributes:
        junit, markdown, sarif: Files to write.
        annotations: Whether workflow commands go to standard output.
        explain: Whether the terminal tells why in words, in place of the table.
    """

    junit: Path | None = None
    markdown: Path | None = None
    sarif: Path | None = None
    annotations: bool = False
    explain: bool = False

    def check(self, output: Path | None = None) -> VerdictFiles:
        """Refuses what could not be written, before any work is done.

        Args:
            output: The folder of the step, which it alone may write to.

        Raises:
            BadInput: A file cannot be written, is asked for twice or lies within the step's own folder.
        """
        asked = [one for one in (self.junit, self.markdown, self.sarif) if one is not None]
        for place, file in enumerate(asked):
            whole = file.resolve()
            if whole in {one.resolve() for one in asked[:place]}:
                raise BadInput(f"Two forms of the verdict would be written to {file}.", "Name two files.")
            if output is not None and whole.is_relative_to(output.resolve()):
                raise BadInput(
                    f"The file {file} lies within the output folder {output}, which holds what the step wrote and nothing else.",
                    "Name a file beside it.",
                )
            _refuse_unwritable(file)
        return self

    @contextmanager
    def around(self) -> Iterator[None]:
        """Says in every form that is asked for why there is no verdict, where the judging is refused or something fails.

        Input that is wrong by itself leaves no file.
        """
        try:
            yield
        except BadInput:
            raise
        except ClarifyOpsError as error:
            self._refused(str(error), error.exit_status)
            raise

    def _refused(self, sentence: str, status: int) -> None:
        from clarify_ops.report.verdict_refused import (
            refused_annotation,
            refused_junit,
            refused_markdown,
            refused_sarif,
        )

        if self.junit is not None:
            write_text(self.junit, refused_junit(sentence, status))
        if self.markdown is not None:
            write_text(self.markdown, refused_markdown(sentence, status))
        if self.sarif is not None:
            write_text(self.sarif, refused_sarif(sentence, status))
        if self.annotations:
            typer.echo(refused_annotation(sentence), nl=False)

    def show(
        self, verdict: Verdict, measures: Iterable[Measure], pipeline: Path | None, policy: Path | None = None
    ) -> None:
        """Shows the verdict in the terminal, and writes what is asked for with groups that are too small masked.

        Args:
            verdict: The verdict, whatever it says.
            measures: All that were measured, for the groups that are too small.
            pipeline: The pipeline; the forms that point at rules point into its policy.
            policy: The policy in place of the pipeline's.
        """
        from clarify_ops.analysis.notes import metric_notes
        from clarify_ops.cli.show_verdict import explain_verdict, show_verdict
        from clarify_ops.report.verdict_annotations import render_annotations
        from clarify_ops.report.verdict_junit import render_junit
        from clarify_ops.report.verdict_markdown import render_verdict_markdown
        from clarify_ops.report.verdict_sarif import render_sarif
        from clarify_ops.report.verdict_words import mask_among

        notes = metric_notes()
        if self.explain:
            explain_verdict(verdict, notes)
        else:
            show_verdict(verdict)
        mask = mask_among(verdict, measures)
        source = _source(pipeline, policy) if self.sarif is not None or self.annotations else None
        if self.junit is not None:
            write_text(self.junit, render_junit(verdict, notes, mask))
        if self.markdown is not None:
            write_text(self.markdown, render_verdict_markdown(verdict, notes, mask))
        if self.sarif is not None and source is not None:
            write_text(self.sarif, render_sarif(verdict, source, notes, mask))
        if self.annotations and source is not None:
            typer.echo(render_annotations(verdict, source, notes, mask), nl=False)


def _source(pipeline: Path | None, policy: Path | None) -> PolicySource:
    if pipeline is None and policy is None:
        raise BadInput("SARIF and annotations point at the rules of a policy.", "Name it with --policy.")
    return PolicySource.of(pipeline, policy)


def _refuse_unwritable(file: Path) -> None:
    if file.is_dir():
        raise BadInput(f"The file {file} is a folder.", "Name a file.")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=file.parent):
            pass
    except OSError as error:
        raise BadInput(
            f"The file {file} cannot be written: {error.strerror}.", "Name a file in a folder that can be written to."
        ) from error
