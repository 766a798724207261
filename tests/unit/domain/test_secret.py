"""What must not show does not."""

from __future__ import annotations

import hashlib
import json
import pickle

import pytest

from authx_core import Secret
from authx_core.domain.secret import Masked, masked

CANARY = "canary-canary-canary-canary"


def test_a_secret_shows_only_when_it_is_asked_to() -> None:
    secret = Secret(CANARY)
    assert CANARY not in f"{secret!r} {secret} {secret:} {[secret]} {vars(type(secret))}"
    assert secret.reveal() == CANARY


def test_a_secret_of_a_secret_is_the_same_secret() -> None:
    assert Secret(Secret(CANARY)).reveal() == CANARY


def test_secrets_are_compared_and_kept_in_sets() -> None:
    assert Secret(CANARY) == Secret(CANARY)
    assert Secret(CANARY) != Secret("another")
    assert Secret(CANARY) != CANARY
    assert len({Secret(CANARY), Secret(CANARY)}) == 1
    assert Secret("\ud800") == Secret("\ud800")


def test_a_secret_leaves_no_process() -> None:
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(Secret(CANARY))
    with pytest.raises(TypeError):
        json.dumps(Secret(CANARY))


def test_only_a_digest_is_kept() -> None:
    assert Secret(CANARY).digest() == hashlib.sha256(CANARY.encode()).hexdigest()


def test_masked_text_is_text_that_no_repr_shows() -> None:
    text = Masked(CANARY)
    assert text == CANARY
    assert CANARY not in repr({"hash": text})


def test_only_text_is_masked() -> None:
    assert masked(None) is None
    assert isinstance(masked(CANARY), Masked)
