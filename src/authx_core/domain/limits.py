"""How much of everything there may be: each number with its unit and its source."""

from __future__ import annotations

from typing import Final

MAX_ID: Final = 255
"""Characters of a user's id. Our own: an index of InnoDB takes 768 characters."""
MAX_EMAIL: Final = 254
"""Octets of an address (RFC 5321, section 4.5.3.1.3, less the angle brackets)."""
MAX_LOCAL: Final = 64
"""Octets before the @ (RFC 5321, section 4.5.3.1.1)."""
MAX_NAME: Final = 255
"""Characters of a username, a permission, a provider or a subject. OpenID Connect Core 1.0, section 2, has subjects of
at most 255."""
MAX_HASH: Final = 1024
"""Characters of a password hash. Our own: passlib's longest scheme has 282."""
MAX_PASSWORD: Final = 1024 * 1024
"""Characters of a password that a hasher takes. Our own, against floods: a policy allows 4,096 octets at most."""
MAX_PERMISSIONS: Final = 1000
"""Permissions of a user. Our own."""
MAX_IDENTITIES: Final = 100
"""Social identities of a user. Our own."""
MAX_EXTRA: Final = 64 * 1024
"""Characters of a user's ``extra`` as JSON. Our own."""
MAX_DEPTH: Final = 32
"""Levels of lists and mappings in ``extra``. Our own: MongoDB has 100, of which some are taken."""
MAX_INTEGER: Final = 2**63 - 1
"""The highest version, epoch, offset and count: BIGINT of SQL, int64 of BSON and Redis's counters end there."""
MAX_LIMIT: Final = 1000
"""Users on a page. Our own."""
MAX_CACHE_KEY: Final = 512
"""Characters of a key of a cache. Our own: an index of InnoDB takes 768 characters."""
MAX_CACHE_VALUE: Final = 1024 * 1024
"""Characters of a value of a cache. Our own."""
