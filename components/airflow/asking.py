"""Asks a registry in a process of its own: what may be deployed, and whether it answers at all.

The triggerer and the API server are one process for everybody's tasks. Credentials in their environment would be everybody's,
and the libraries of a registry take seconds to load, in which no other trigger runs. The process that is started here is this
module itself, which needs no Airflow.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from clarify_ops.components.airflow.places import VARIABLE, Place
from clarify_ops.errors import BadInput, ClarifyOpsError, Outside

if TYPE_CHECKING:
    from clarify_ops.registry.protocol import RegisteredVersion, Registry

_MODULE = "clarify_ops.components.airflow.asking"
_SECONDS = 600.0


def ask(where: Place, question: Mapping[str, str | None], *, python: str) -> dict[str, Any]:
    """The answer of a registry; see `answer`.

    Args:
        where: The registry.
        question: What `answer` takes besides the registry.
        python: Interpreter of the environment that clarify_ops is installed in.

    Raises:
        BadInput: The question is wrong by itself.
        Outside: The registry failed, or does not answer.
    """
    try:
        done = subprocess.run(
            _command(python, question),
            env=_environment(where),
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _unanswered(where, error) from None
    return _read(where, done.returncode, done.stdout, done.stderr)


async def ask_asynchronously(where: Place, question: Mapping[str, str | None], *, python: str) -> dict[str, Any]:
    """As `ask`, for an event loop; the process ends with whoever waits for it."""
    try:
        process = await asyncio.create_subprocess_exec(
            *_command(python, question),
            env=_environment(where),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except OSError as error:
        raise _unanswered(where, error) from None
    try:
        output, errors = await asyncio.wait_for(process.communicate(), _SECONDS)
    except TimeoutError as error:
        raise _unanswered(where, error) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return _read(where, process.returncode or 0, output, errors)


def answer(registry: Registry, model: str | None, alias: str, version: str | None) -> dict[str, Any]:
    """Which version has an alias, if its evidence holds.

    Args:
        registry: Where to look.
        model: Name of the registered model; None asks only whether the registry answers.
        alias: What the version must be called.
        version: Its number, where only one will do.

    Returns:
        `words`, and where there is one, `found`: model, version, evidence and verdict.

    Raises:
        Outside: The registry failed.
    """
    import datetime

    from clarify_ops.registry.promotion import verified

    known = registry.versions(model)
    if model is None:
        models = len({one.model for one in known})
        return {"words": f"The registry answers: versions: {len(known)}, models: {models}."}
    named = [one for one in known if alias in one.aliases and version in {None, one.version}]
    if not named:
        return {"words": _nobody(known, model, alias, version)}
    chosen = named[-1]
    against = verified(registry, chosen, datetime.datetime.now(datetime.UTC).date())
    if against:
        return {
            "words": f"Version {chosen.version} of {model} is {alias}, but its evidence does not hold: {against[0]}."
        }
    found = {"model": model, "version": chosen.version, "evidence": chosen.evidence, "verdict": chosen.verdict}
    return {"words": f"Version {chosen.version} of {model} is {alias}, and its evidence holds.", "found": found}


def _nobody(known: Sequence[RegisteredVersion], model: str, alias: str, version: str | None) -> str:
    if version is None:
        return f"No version of {model} is {alias} yet (versions: {len(known)})."
    one = next((one for one in known if one.version == version), None)
    if one is None:
        return f"The registry has no version {version} of {model} yet."
    called = " and ".join(one.aliases) or one.status or "nothing"
    return f"Version {version} of {model} is not {alias} yet; it is {called}."


def _command(python: str, question: Mapping[str, str | None]) -> list[str]:
    return [python, "-m", _MODULE, json.dumps(dict(question))]


def _environment(where: Place) -> dict[str, str]:
    return {**os.environ, **where.environment, VARIABLE: where.full}


def _read(where: Place, status: int, output: bytes, errors: bytes) -> dict[str, Any]:
    if status == 0:
        found: dict[str, Any] = json.loads(output.splitlines()[-1])
        return found
    last = errors.decode(errors="replace").strip().splitlines()[-1:] or [f"exit status {status}"]
    if status == BadInput.exit_status:
        raise BadInput(last[0])
    raise Outside(
        last[0] if status == Outside.exit_status else f"The registry {where.uri} could not be asked: {last[0]}"
    )


def _unanswered(where: Place, error: Exception) -> Outside:
    return Outside(f"The registry {where.uri} could not be asked: {type(error).__name__}.")


def main() -> None:
    """Answers one question, as JSON, from the registry that the environment names."""
    from clarify_ops.registry.opening import registry_at

    asked = json.loads(sys.argv[1])
    try:
        registry = registry_at(os.environ.pop(VARIABLE))
        found = answer(registry, asked.get("model"), asked.get("alias") or "", asked.get("version"))
    except ClarifyOpsError as error:
        print(error, file=sys.stderr)
        raise SystemExit(error.exit_status) from None
    print(json.dumps(found))


if __name__ == "__main__":
    main()
