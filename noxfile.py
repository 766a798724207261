"""The commands of a developer: demo, tests, lint, typing, docs, bench."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from pathlib import Path

import nox

nox.options.sessions = ["tests", "lint", "typing", "docs"]
nox.options.reuse_existing_virtualenvs = True
PROJECT = nox.project.load_toml("pyproject.toml")
ZONES = ("Asia/Tokyo", "America/New_York", "UTC")
SERVERS = ("POSTGRES", "MARIADB", "MONGODB", "REDIS")
"""Servers that each half of the tests starts for itself, unless the environment names one."""
GATES = (
    ("*/authx_core/*", "", 98),
    ("*/authx_adapters/*", "*/mongodb/*,*/redis/*,*/sqlalchemy/*,*/identifiers.py", 92),
    ("*/authx_contract/*", "", 90),
)
"""Files to cover, files that only tests on servers reach, and the minimum coverage by the other tests in per cent."""
ALONE = tuple(f"tests/contract/test_{tests}" for tests in ("clock.py", "memory.py::TestMemory", "passlib.py"))
"""Tests that need no server; with the unit tests they reach most of the contract."""
MANY = tuple(f"tests/unit/contract/test_{tests}.py" for tests in ("guide", "from_the_wheel"))
"""Tests that start many processes: to trace those takes minutes and reaches nothing new."""
TRACED = {"COVERAGE_CORE": "ctrace"}
MINUTES = 23
"""The duration of `nox -s tests` on two idle cores."""


def install(session: nox.Session, *groups: str, extras: str = "all") -> None:
    session.install("-e", f".[{extras}]", *nox.project.dependency_groups(PROJECT, *groups))


@nox.session
def demo(session: nox.Session) -> None:
    """Run the demo on SQLite, or on any database: `nox -s demo -- --url … --blocking`."""
    install(session, "demo", extras="postgresql,mariadb,mongodb,redis,passlib")
    session.run("python", "examples/demo.py", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Run all tests, the unit tests in three time zones; `-- -k pattern` selects tests, `-P 3.13` selects a Python."""
    install(session, "test", "servers", "demo", "lint", "typing")
    if session.posargs:
        session.run("python", "-m", "pytest", *session.posargs)
        return
    session.log("This takes about %d minutes on two cores, and longer on a busy machine.", MINUTES)
    with tempfile.TemporaryDirectory() as folder:
        skipped = Path(folder) / "skipped"
        try:
            _every_test(session, {"AUTHX_TEST_SKIPPED": str(skipped)})
        finally:
            session.log(_summary(skipped.read_text().splitlines() if skipped.exists() else []))


def _every_test(session: nox.Session, env: dict[str, str]) -> None:
    both_cores = ("-n", "2", "--dist", "loadscope")  # a module or class stays on one core with its fixtures
    units = ("tests/unit", "--ignore=tests/unit/contract")
    for zone in ZONES[1:]:
        session.run(
            "python", "-m", "pytest", "-q", *both_cores, "-p", "no:cacheprovider", *units, env={**env, "TZ": zone}
        )
    env["TZ"] = ZONES[0]
    session.run("coverage", "erase")
    traced = ("tests/unit", *ALONE, *(f"--ignore={file}" for file in MANY))
    session.run("coverage", "run", "-m", "pytest", "-q", *both_cores, *traced, env={**env, **TRACED})
    session.run("coverage", "combine", "-q")
    for files, on_servers_only, least in GATES:
        session.run("coverage", "report", f"--include={files}", f"--omit={on_servers_only}", f"--fail-under={least}")
    folders = ("tests/engines", "tests/contract", "tests/zoo", "tests/conformance")
    own = {name: os.environ.get(name, "own") for name in (f"AUTHX_TEST_{server}_URL" for server in SERVERS)}
    rest = (*folders, *MANY, *(f"--deselect={tests}" for tests in ALONE))
    session.run("python", "-m", "pytest", *both_cores, *rest, env=env | own)


def _summary(skipped: list[str]) -> str:
    if not skipped:
        return "No test was skipped."
    reasons = [f"  {times} × {reason}" for reason, times in Counter(skipped).most_common()]
    return "\n".join([f"{len(skipped)} tests were skipped:", *reasons])


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, format and the directions of imports."""
    install(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports", "--no-cache")


@nox.session
def typing(session: nox.Session) -> None:
    """Check types with mypy and pyright, here and in a program that uses the installed wheel."""
    install(session, "typing", "test", "servers", "demo")
    session.run("mypy", "src", "tests", "examples", "noxfile.py")
    session.run("pyright")
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder) / "site"
        session.run("python", "-m", "pip", "install", "-q", "--no-deps", "--target", str(site), ".")
        user = Path(folder) / "user.py"
        user.write_text(Path("tests/typing/user_of_the_wheel.py").read_text())
        config = Path(folder) / "pyrightconfig.json"
        config.write_text(f'{{"typeCheckingMode": "strict", "extraPaths": ["{site}"], "include": ["user.py"]}}')
        session.chdir(folder)
        session.run(
            "mypy",
            "--strict",
            "--follow-imports=silent",
            "user.py",
            env={"MYPYPATH": str(site), "PATH": os.environ["PATH"]},
        )
        session.run("pyright", "--pythonpath", str(Path(session.bin) / "python"))


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation into `docs/_build` with warnings as errors; `tests` runs its examples."""
    install(session, "docs")
    session.run("towncrier", "build", "--draft", "--version", "next", silent=True)  # refuses malformed fragments
    session.run("sphinx-build", "-W", "--keep-going", "-q", "-n", "-b", "html", "docs", "docs/_build")


@nox.session
def errors(session: nox.Session) -> None:
    """Write the page of the documentation that lists every error."""
    install(session)
    session.run("python", "tools/error_catalogue.py")


@nox.session
def clauses(session: nox.Session) -> None:
    """Write the page of the documentation that lists every clause of the contract."""
    install(session)
    page = session.run("python", "-m", "authx_contract", "list", "--markdown", silent=True, stderr=None)
    Path("docs/contract-clauses.md").write_text(str(page), encoding="utf-8")


@nox.session
def mutants(session: nox.Session) -> None:
    """Run every broken adapter of the zoo against every clause: `nox -s mutants -- --markdown docs/mutants.md`."""
    install(session, "test", "servers")
    session.run("python", "-m", "zoo", *session.posargs, env={"PYTHONPATH": "tests"})


@nox.session
def conformance(session: nox.Session) -> None:
    """Verify our own adapters and write the page of the results: `nox -s conformance -- --level 2 --only redis`."""
    install(session, "test", "servers", extras="all")
    session.run("python", "-m", "conformance", *session.posargs, env={"PYTHONPATH": "tests"})


@nox.session
def detection(session: nox.Session) -> None:
    """Measure detection rates and false alarms of the contract: `nox -s detection -- --markdown docs/detection.md`."""
    install(session, "test", "servers", extras="all")
    path = os.pathsep.join(("tests", "benchmarks"))
    session.run("python", "-m", "detection", *session.posargs, env={"PYTHONPATH": path})


@nox.session
def bench(session: nox.Session) -> None:
    """Measure the overhead over the bare driver, as ratios within one run."""
    install(session, extras="sqlalchemy,passlib")
    session.run("python", "benchmarks/bench.py", *session.posargs)
