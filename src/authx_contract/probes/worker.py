"""The program of a worker process, which `authx_contract.probes.processes` starts and talks to.

It reads commands as lines of JSON and answers each with one. ``write`` forks a writer, which writes until it is killed.
Everything is imported before, so a writer starts at once.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from random import Random
from types import ModuleType
from typing import IO, Any

from authx_contract.harness import Harness
from authx_contract.samples.users import EVERYBODY, full_user
from authx_contract.samples.whole_users import NAMES, all_changes, summary
from authx_contract.trial import Trial
from authx_core.domain import IdentifierTaken, PortUnavailable, StaleUser, UserNotFound
from authx_core.ports import UserStore


def main() -> None:
    """Answer commands until the input ends; the first line names the harness."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # the output of a harness must not look like an answer
    harness = _harness(json.loads(sys.stdin.readline()))
    _reply(answers, "ready")
    if hasattr(signal, "SIGCHLD"):
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # no process waits for the writers
    for line in sys.stdin:
        what, given = json.loads(line)
        if what == "write":
            _fork(harness, given, answers)
        else:
            _reply(answers, asyncio.run(_read(harness, what, given)))


def _module(name: str, file: str) -> ModuleType:
    """Import a module by its name if the name leads to the same file, else by its file."""
    with suppress(ImportError):
        module = import_module(name)
        if Path(str(module.__file__)).samefile(file):
            return module
    spec = spec_from_file_location("authx_contract_harness", file)
    if spec is None or spec.loader is None:
        raise ImportError(file)
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _harness(where: Mapping[str, Any]) -> Harness:
    found: Any = _module(where["module"], where["file"])
    for name in where["name"].split("."):
        found = getattr(found, name)
    harness: Harness = found()
    harness.namespace = where["namespace"]
    return harness


async def _read(harness: Harness, what: str, key: str) -> object:
    trial = Trial(harness)
    try:
        if what == "user":
            user = await (await trial.users()).get(key)
            return None if user is None else summary(user)
        return await (await trial.cache()).get(key)
    finally:
        await trial.close()


def _fork(harness: Harness, seed: int, answers: IO[str]) -> None:
    if os.fork():
        return
    try:
        asyncio.run(_write(Trial(harness, seed=seed), answers))
    except BaseException as error:  # noqa: BLE001 - the parent must see it
        _reply(answers, {"error": f"{type(error).__name__}: {error}"})
    os._exit(1)


async def _write(trial: Trial, answers: IO[str]) -> None:
    """Create, change and delete users of a few names until the process is killed."""
    store = await trial.users()
    _reply(answers, {"pid": os.getpid()})
    while True:
        try:
            await _write_once(store, trial.random)
        except (IdentifierTaken, StaleUser, UserNotFound, PortUnavailable):
            continue


async def _write_once(store: UserStore, random: Random) -> None:
    name = random.choice(NAMES)
    users = await store.search(EVERYBODY, limit=len(NAMES))
    if not users or random.random() < 1 / 3:
        await store.create(full_user(name))
    elif random.random() < 1 / 3:
        await store.delete(random.choice(users).id)
    else:
        await store.update(random.choice(users).id, all_changes(name))


def _reply(answers: IO[str], answer: object) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
