"""The components that publish: in a run where there is something to show, and at its end whatever happened."""

from typing import Optional

from kfp import dsl

from clarify_ops.components.kubeflow.decorator import component


@component
def publish(
    *,
    to: str,
    published: dsl.Output[dsl.Artifact],
    page: dsl.Output[dsl.HTML],
    release: Optional[dsl.Input[dsl.Artifact]] = None,
    state: str = "",
    message: str = "",
) -> None:
    """Puts report, card and verdict where people look, and says how the run ended, however it ended.

    Args:
        to: Folder or prefix that the run has for itself, and that people can read.
        release: Output folder of the gate or the register step; where there is none, a page says how far the run came.
        state: How the run ended, in the orchestrator's words.
        message: Why it ended so.

    Returns:
        published: Folder with step.json, index.html and run.json, and card and verdict where there are any.
        page: The page that was published.
    """
    import shutil

    from clarify_ops.components.task import one_sentence, tell
    from clarify_ops.steps import publish as step

    with one_sentence():
        result = step.run(
            published.path,
            to=to,
            release=None if release is None else release.path,
            state=state or None,
            message=message or None,
            progress=tell,
        )
        shutil.copy(result.folder / step.PAGE, page.path)


@component
def publish_at_exit(
    *,
    to: str,
    status: dsl.PipelineTaskFinalStatus,
    published: dsl.Output[dsl.Artifact],
    page: dsl.Output[dsl.HTML],
) -> None:
    """Says how the run ended, however it ended: publish as the exit task of a dsl.ExitHandler, which no task can hand results.

    What publish put there before stays; where nothing was, a page says how far the run came.

    Args:
        to: Folder or prefix that the run has for itself, and that people can read: where publish puts its own.
        status: Filled in by Kubeflow.

    Returns:
        published: Folder with step.json, index.html and run.json.
        page: The page that was published.
    """
    import shutil

    from clarify_ops.components.task import one_sentence, tell
    from clarify_ops.steps import publish as step

    with one_sentence():
        result = step.run(
            published.path, to=to, state=status.state, message=status.error_message or None, progress=tell
        )
        shutil.copy(result.folder / step.PAGE, page.path)
