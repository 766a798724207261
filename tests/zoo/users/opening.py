"""Stores that create their schema when they are opened, and check it."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from authx_contract import SteppedClock
from authx_core.domain import InvalidSchema, Problem
from authx_core.ports import UserStore
from zoo.machinery.housing import Stores
from zoo.machinery.registry import correct, mutant
from zoo.machinery.small_users import Users

_PRESENT = "users of authx, 2"


class _Schema(Stores):
    adapter = Users

    def __init__(self) -> None:
        super().__init__()
        self.schema: str | None = None

    async def open_users(self, clock: SteppedClock, /) -> UserStore:
        if self.schema is None:
            await self.make()
        self.check(self.schema or "")
        return await super().open_users(clock)

    async def make(self) -> None:
        await asyncio.sleep(0)
        self.schema = _PRESENT

    def check(self, schema: str) -> None:
        if schema != _PRESENT:
            raise InvalidSchema(Problem("users", "outdated", "is of another version: migrate it"))

    async def reset(self) -> None:
        await super().reset()
        self.schema = None

    async def age_schema(self) -> None:
        self.schema = "users of authx, 1"

    async def foreign_schema(self) -> None:
        self.schema = "users of a shop"


@correct("a store that creates its schema when it is opened, and checks it")
class WithSchema(_Schema):
    pass


@mutant("U-062", "`CREATE TABLE` fails if another handle creates the table at the same moment")
class CreatesTwice(_Schema):
    async def make(self) -> None:
        await asyncio.sleep(0)
        if self.schema is not None:
            raise RuntimeError('relation "users" already exists')
        self.schema = _PRESENT


@mutant("U-062", "the first handle that is opened after the schema was created empties the table")
class MakesEmpty(_Schema):
    opened = 0

    async def make(self) -> None:
        self.opened += 1
        await super().make()

    async def open_users(self, clock: SteppedClock, /) -> UserStore:
        made, self.opened = self.opened, 0
        store = await super().open_users(clock)
        if made:
            self.table.empty()
        return store


@mutant("U-064", "the schema is not checked")
class NotLookedAt(_Schema):
    def check(self, schema: str) -> None:
        pass


@mutant("U-064", "an older schema passes for the present one")
class OlderTaken(_Schema):
    known: ClassVar[str] = "users of authx"

    def check(self, schema: str) -> None:
        if not schema.startswith(self.known):
            super().check(schema)


@mutant("U-064", "a wrong schema is reported by the driver's own error")
class DriverTells(_Schema):
    def check(self, schema: str) -> None:
        if schema != _PRESENT:
            raise RuntimeError("no such column: users.epoch")
