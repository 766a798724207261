"""Collections whose answers a failover does not undo.

Writes are acknowledged once a majority of the members has them in its journal (``w: "majority", j: true``; on a
standalone server, once they are in its own journal), so neither a failover nor SIGKILL undoes an acknowledged write.

Reads ask the primary for data that a majority has (read concern "majority"). These include every acknowledged write,
and nothing that a failover may still undo. With "local", a caller could read a user who is then rolled back.
"majority" does not wait, whereas "linearizable" writes to the log of operations for every read. One gap remains, as
with every other read concern: a primary that was cut off answers from old data until it notices, by default within ten
seconds, and a new primary may need a moment until it serves the last writes that its predecessor acknowledged.

No write depends on such a read: the condition of an update is part of the write, and is checked on the primary's newest
data.
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
"""The primary's newest data, to find why an operation was just refused."""
_MAJORITY_TIMEOUT: Final = 10_000
"""Milliseconds that a write waits for the majority; the client's ``wtimeoutMS`` replaces it."""
_CODEC: Final[CodecOptions[Document]] = CodecOptions(document_class=RawBSONDocument)
"""Other classes turn a mapping with the keys ``$ref`` and ``$id`` into a `DBRef`, or fail."""


def durable(database: AnyDatabase, name: str) -> AnyCollection:
    """Return the collection of this name, without the client's own codecs, concerns and preferences."""
    timeout = database.write_concern.document.get("wtimeout", _MAJORITY_TIMEOUT)
    return database.get_collection(
        name,
        codec_options=_CODEC,
        read_preference=ReadPreference.PRIMARY,
        write_concern=WriteConcern("majority", wtimeout=timeout, j=True),
        read_concern=ReadConcern("majority"),
    )
