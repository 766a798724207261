"""A promise of a port, as a function with an id and a sentence."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias

import attrs

from authx_contract.terms import FIRST, PORTS, Kind, Level, Need, Port
from authx_contract.trial import Trial

Body: TypeAlias = Callable[[Trial], Awaitable[None]]

registered: Final[dict[str, Clause]] = {}
"""Every clause whose module was imported; `authx_contract.registry` imports them all."""


@attrs.frozen(kw_only=True)
class Clause:
    """One promise of a port."""

    id: str
    sentence: str
    """The promise."""
    means: str
    """What a breach means for a person's account."""
    cause: str
    """The usual cause of a breach."""
    body: Body = attrs.field(repr=False)
    level: Level = 1
    kind: Kind = "sequence"
    needs: tuple[Need, ...] = ()
    since: str = FIRST
    """The release, major and minor, that introduced it. In that release it is pending; from the next on it binds."""

    @property
    def port(self) -> Port:
        """The port that makes the promise."""
        return PORTS[self.id[0]]


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
        if id_ in registered:
            raise ValueError(f"two clauses have the id {id_}")
        sentence = (body.__doc__ or "").strip().partition("\n")[0]
        registered[id_] = Clause(
            id=id_, sentence=sentence, means=means, cause=cause, body=body,
            level=level, kind=kind, needs=tuple(needs), since=since,
        )  # fmt: skip
        return body

    return register
