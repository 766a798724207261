"""Collections whose answers no failover takes back.

Writes are acknowledged once a majority of the members has them in its journal (``w: "majority", j: true``; on a
standalone server, once they are in its own), so that neither a failover nor SIGKILL undoes what was acknowledged.

Reads ask the primary for what a majority has (read concern "majority"). Whatever was acknowledged to any handle is
among it, and nothing that a failover may still undo, which is where "local" falls short: nobody is told of a user who
is then rolled back. It costs no waiting, where "linearizable" writes to the log of operations for every read. What is
left, as with every read concern but that: a primary that was cut off answers from what it has until it notices, by
default within ten seconds, and a new one may need a moment until it serves what its predecessor last acknowledged.

Writes never rest on such a read: the write itself judges the condition of an update, on the primary's newest data.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference
from pymongo.write_concern import WriteConcern

Document: TypeAlias = Mapping[str, Any]
AnyDatabase: TypeAlias = Database[Any] | AsyncDatabase[Any]
AnyCollection: TypeAlias = Collection[Document] | AsyncCollection[Document]
AnySession: TypeAlias = ClientSession | AsyncClientSession

LOCAL: Final = ReadConcern("local")
"""The primary's newest data: what an operation that was just refused was refused by."""
_PATIENCE: Final = 10_000
"""Milliseconds that a write waits for the majority, unless the client's ``wtimeoutMS`` says otherwise."""
_CODEC: Final[CodecOptions[Document]] = CodecOptions(document_class=RawBSONDocument)
"""Any other class turns a mapping with the keys ``$ref`` and ``$id`` into a `DBRef`, or fails to."""


def durable(database: AnyDatabase, name: str) -> AnyCollection:
    """Return the collection of this name, whatever the client's own codecs, concerns and preferences are."""
    patience = database.write_concern.document.get("wtimeout", _PATIENCE)
    return database.get_collection(
        name,
        codec_options=_CODEC,
        read_preference=ReadPreference.PRIMARY,
        write_concern=WriteConcern("majority", wtimeout=patience, j=True),
        read_concern=ReadConcern("majority"),
    )
