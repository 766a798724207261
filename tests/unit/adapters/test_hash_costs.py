"""A stored hash that is too expensive to verify is refused before it is computed."""

from __future__ import annotations

import time

import pytest
from passlib.context import CryptContext

from authx_adapters.passlib import PasslibHasher
from authx_core import InvalidValue, UnknownHash, run

GIB = 1024 * 1024
ARGON2 = "$argon2id$v=19$m={},t={},p={}$c29tZXNhbHQ$RdescudvJCsgt3ub+b1dWRWJTmaaJObG"
DIGEST = "GhvMmNVjRW29ulnudl.LbuAnUtN/LRfe1JsBm1Xu6LE3059z5Tr8m"
PBKDF2_512 = f"LyWE0HrP2RsjZCxlDGFMKQ${'A' * 86}"

TOO_EXPENSIVE = {
    "argon2 by passes": ARGON2.format(GIB, 64, 4),
    "argon2 by memory": ARGON2.format(2 * GIB, 1, 4),
    "argon2 by lanes": ARGON2.format(GIB, 1, 100_000),
    "argon2 of Django": "argon2" + ARGON2.format(GIB, 16, 4),
    "bcrypt": f"$2b$16${DIGEST}",
    "bcrypt of Django": f"bcrypt$$2b$16${DIGEST}",
    "bcrypt-sha256, older form": "$bcrypt-sha256$2a,31$PM7dJMWPyGE2uBZ0wUqZru$g/.4AGHVgwyJu1xZ/4C8J.GfRq9wNmq",
    "bcrypt-sha256": "$bcrypt-sha256$v=2,t=2b,r=17$n79VH.0Q2TMWmt3Oqt9uku$Kq4Noyk3094Y2QlB8NdRT8SvGiI4ft2",
    "bcrypt-sha256 of Django": f"bcrypt_sha256$$2b$18${DIGEST}",
    "pbkdf2-sha512": f"$pbkdf2-sha512$10000000${PBKDF2_512}",
    "pbkdf2-sha256 of Django": f"pbkdf2_sha256$10000000$abcdefgh${'A' * 43}=",
    "pbkdf2-sha1 of Django": f"pbkdf2_sha1$10000000$abcdefgh${'A' * 27}=",
    "scrypt by N": "$scrypt$ln=24,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E",
    "scrypt by p": "$scrypt$ln=16,r=8,p=64$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E",
    "scrypt by r": "$scrypt$ln=14,r=4096,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E",
}


@pytest.mark.parametrize("password_hash", TOO_EXPENSIVE.values(), ids=TOO_EXPENSIVE.keys())
def test_a_hash_that_is_too_expensive_is_refused_at_once(password_hash: str) -> None:
    start = time.thread_time()
    with pytest.raises(UnknownHash):
        run(PasslibHasher().verify("a password", password_hash))
    assert time.thread_time() - start < 1


def test_a_scheme_that_the_application_adds_is_bounded_too() -> None:
    hasher = PasslibHasher(CryptContext(schemes=["argon2", "sha512_crypt"]))
    with pytest.raises(UnknownHash):
        run(hasher.verify("a password", f"$6$rounds=999999999$11p/0pRHxX92${'a' * 86}"))


def test_common_settings_are_within_the_bounds() -> None:
    hasher = PasslibHasher()
    for affordable in (
        ARGON2.format(GIB, 1, 4),
        ARGON2.format(64 * 1024, 12, 8),
        f"$2b$15${DIGEST}",
        f"$pbkdf2-sha512$2000000${PBKDF2_512}",
        f"pbkdf2_sha256$5000000$abcdefgh${'A' * 43}=",
        "$scrypt$ln=17,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E",
    ):
        assert hasher._is_affordable(affordable), affordable


def test_argon2_with_two_gib_needs_an_explicit_setting() -> None:
    """RFC 9106, section 4: the first recommended option."""
    first_option = ARGON2.format(2 * GIB, 1, 4)
    assert not PasslibHasher()._is_affordable(first_option)
    assert PasslibHasher(max_memory=2 * 1024**3)._is_affordable(first_option)


def test_bounds_that_are_not_positive_are_reported_together() -> None:
    with pytest.raises(InvalidValue) as caught:
        PasslibHasher(max_seconds=0, max_memory=-1)
    assert {problem.field for problem in caught.value.problems} == {"max_seconds", "max_memory"}
