"""The registry: every promise of the ports, as a function with an id and a sentence."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs

if TYPE_CHECKING:
    from authx_contract.trial import Trial

Port: TypeAlias = Literal["users", "cache", "clock", "hasher"]
Level: TypeAlias = Literal[1, 2, 3]
Kind: TypeAlias = Literal["sequence", "race", "crash", "model", "process"]
Need: TypeAlias = Literal[
    "time", "namespaces", "outage", "processes", "schema", "stored", "hypothesis", "outdated hash", "excessive hash"
]
"""What a harness has to provide beyond its ports; see `authx_contract.needs`."""
Body: TypeAlias = "Callable[[Trial], Awaitable[None]]"

FIRST: Final = "0.1"
"""The release in which the suite began; its clauses bind at once."""
_PORTS: Final[dict[str, Port]] = {"U": "users", "C": "cache", "K": "clock", "P": "hasher"}
_clauses: Final[dict[str, Clause]] = {}


@attrs.frozen(kw_only=True)
class Clause:
    """One promise of a port."""

    id: str
    sentence: str
    """What holds."""
    means: str
    """What it means for a person's account if it does not."""
    cause: str
    """What is usually wrong then."""
    body: Body = attrs.field(repr=False)
    level: Level = 1
    kind: Kind = "sequence"
    needs: tuple[Need, ...] = ()
    since: str = FIRST
    """The release, major and minor, since which it binds. In that one itself it is only pending."""

    @property
    def port(self) -> Port:
        """Whose promise it is."""
        return _PORTS[self.id[0]]


def clause(
    id_: str,
    /,
    *,
    means: str,
    cause: str,
    level: Level = 1,
    kind: Kind = "sequence",
    needs: Sequence[Need] = (),
    since: str = FIRST,
) -> Callable[[Body], Body]:
    """Register an asynchronous function as a clause; the first line of its docstring is the sentence."""

    def register(body: Body) -> Body:
        if id_ in _clauses:
            raise ValueError(f"two clauses are called {id_}")
        sentence = (body.__doc__ or "").strip().partition("\n")[0]
        _clauses[id_] = Clause(
            id=id_, sentence=sentence, means=means, cause=cause, body=body,
            level=level, kind=kind, needs=tuple(needs), since=since,
        )  # fmt: skip
        return body

    return register


def all_clauses() -> tuple[Clause, ...]:
    """Return every clause: users, cache, clock, hasher, each in order of the ids."""
    import_module("authx_contract.clauses")
    ports = list(_PORTS)
    return tuple(sorted(_clauses.values(), key=lambda each: (ports.index(each.id[0]), each.id)))


def find(ids: Iterable[str]) -> tuple[Clause, ...]:
    """Return the clauses with these ids. Raises `LookupError` naming those that there are not."""
    known = {each.id: each for each in all_clauses()}
    wanted = [each.strip().upper() for each in ids]
    if unknown := [each for each in wanted if each not in known]:
        raise LookupError(f"there is no clause {', '.join(unknown)}")
    return tuple(known[each] for each in dict.fromkeys(wanted))
