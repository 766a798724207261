"""Canonical keys are idempotent, and text without one is refused."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from unicodedata import normalize

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from authx_core import InvalidValue, email_key, username_key
from authx_core.domain.address import BadAddressError, local_key, local_part
from authx_core.domain.canonical import email_fragment, email_text, username_fragment, username_text

HOSTILE = [
    *"aAzZiIkKsS09._-+@ ",
    *"ıİſK",  # dotless and dotted i, long s, Kelvin sign
    *"ａＡ＠．",  # full width
    *"аеоАЕО",  # Cyrillic look-alikes
    *"ßẞςΣσµμÅ",
    *"\u0300\u0301\u0315\u0345\u0323",  # combining marks
    *"\u200b\u200c\u200d\u202e\u2066\ufeff\u00ad",  # zero width, overrides, soft hyphen
    *"\u0958\ufb2c\ufb01ǰΐ\u1e9b",
    *"അന്ൻतर्त्ৎرضاهաւև\u0e33ĳŀǅᾳ",
    *"אب۱٠·‿\u30fb\uab70\u13a0",
    *"\0\n\t\x7f\ud800\udfff\U000e0041\U0001f600",
]
TEXT = st.lists(st.sampled_from(HOSTILE), max_size=40).map("".join) | st.text(max_size=80)
ADDRESS = st.builds(
    "{}@{}".format, TEXT, st.sampled_from(["example.com", "bücher.de", "BÜCHER.de", "ｅxample.com"]) | TEXT
)


@settings(max_examples=600, deadline=None)
@given(TEXT)
@example("İ" * 200)
@example("\ufb2c" * 100)
@example("K\u0323\u0301")
def test_the_key_of_a_username_is_idempotent(name: str) -> None:
    try:
        key = username_key(name)
    except InvalidValue:
        return
    assert key == username_key(key)


@settings(max_examples=600, deadline=None)
@given(ADDRESS | TEXT)
@example("ẞ@example.com")
@example("\u1e9b\u0323@example.com")
def test_the_key_of_an_address_is_idempotent(address: str) -> None:
    try:
        key = email_key(address)
    except InvalidValue:
        return
    assert key == email_key(key)


@settings(max_examples=300, deadline=None)
@given(TEXT)
def test_the_shown_form_of_a_username_has_the_same_key(name: str) -> None:
    try:
        key, shown = username_key(name), username_text(name)
    except InvalidValue:
        return
    assert key == username_key(shown)
    assert shown == username_text(shown)


@settings(max_examples=300, deadline=None)
@given(ADDRESS)
def test_the_stored_form_of_an_address_has_the_same_key(address: str) -> None:
    try:
        key, kept = email_key(address), email_text(address)
    except InvalidValue:
        return
    assert (key, kept) == (email_key(kept), email_text(kept))


def _username(text: str) -> str | None:
    try:
        return username_key(text)
    except InvalidValue:
        return None


def _local(text: str) -> str | None:
    try:
        return local_key(local_part(text))
    except BadAddressError:
        return None


def _cased() -> Iterator[str]:
    for char in map(chr, range(0x80, sys.maxunicode + 1)):
        if not 0xD800 <= ord(char) <= 0xDFFF and {char.upper(), char.lower(), char.title(), char.casefold()} != {char}:
            yield char


@pytest.mark.parametrize("key", [_username, _local])
def test_upper_lower_and_title_case_have_one_key_or_none(key: Callable[[str], str | None]) -> None:
    """Every character of Unicode, alone and beside others."""
    several = {}
    for char in _cased():
        for text in (char, f"x{char}", f"i{char}", f"α{char}α"):
            spellings = {text, text.upper(), text.lower(), text.title(), text.casefold(), text.swapcase()}
            if len(keys := {key(each) for each in spellings} - {None}) > 1:
                several[text] = keys
    assert several == {}


@pytest.mark.parametrize("key", [_username, _local])
def test_marks_and_joiners_in_every_order_have_one_key_or_none(key: Callable[[str], str | None]) -> None:
    """Decomposed forms and upper case of letters with a mark (D145)."""
    for char in map(chr, [*range(0x300, 0x370), *range(0x483, 0x488)]):
        for written in (f"i{char}\u0307", f"i\u0307{char}", f"α{char}\u0345", f"s{char}z"):
            text = normalize("NFC", written)
            forms = {text, text.upper(), text.lower(), normalize("NFD", text), normalize("NFC", text.upper())}
            assert len({key(each) for each in forms} - {None}) <= 1, ascii(text)


@settings(max_examples=600, deadline=None)
@given(TEXT)
def test_names_that_are_equal_by_rfc_8265_have_one_key(name: str) -> None:
    """UsernameCaseMapped is a mapping to lower case; ours is coarser."""
    key = _username(name)
    assert key is None or key == (_username(name.lower()) or key)


@pytest.mark.parametrize("around", [" ", "\t", "\n", "\u00a0", "\u3000", "\u200b", "\ufeff", "\u2060", "\u200e \u200f"])
def test_invisible_characters_around_a_login_make_no_difference(around: str) -> None:
    assert username_key(f"{around}Ana{around}") == "ana"
    assert username_text(f"{around}Ana{around}") == "Ana"
    assert email_key(f"{around}Ana@example.org{around}") == "ana@example.org"
    assert email_text(f"{around}Ana@example.org{around}") == "Ana@example.org"


@pytest.mark.parametrize(
    "domain", ["printer.local", "PRINTER.LOCAL", "shop.test", "localhost", "intranet", "a.home.arpa"]
)
def test_special_domains_have_keys_under_any_policy(domain: str) -> None:
    assert email_key(f"ana@{domain}") == f"ana@{domain.lower()}"


@pytest.mark.parametrize("sign", "＠﹫．․‥…﹒，；：＋－＿’‘‛′´“”„–—−‐⁃／＼")
def test_characters_that_look_like_ascii_punctuation_are_refused(sign: str) -> None:
    for key, text in ((email_key, f"a{sign}b@example.org"), (username_key, f"a{sign}b")):
        if key is username_key and 0xFF00 <= ord(sign) <= 0xFF5E and "＠：／＼".find(sign) < 0:
            continue  # full width is mapped
        with pytest.raises(InvalidValue) as caught:
            key(text)
        assert text not in str(caught.value)


@pytest.mark.parametrize("letter", "\u0640\u07fa\u115f\u1160\u17b4\u3164\uffa0\u034f\ufe0fᄒㅎﷲﬀℂª")
def test_invisible_and_obsolete_letters_are_refused(letter: str) -> None:
    """RFC 5892, section 2.6, and characters that Unicode calls ignorable, old or presentation forms."""
    assert (_username(f"an{letter}a"), _local(f"an{letter}a")) == (None, None)


@pytest.mark.parametrize(
    "heap", ["a\u0301\u0301b", "a\u0316\u0317\u0318\u0319\u031cb", "Z\u0351\u036b\u0343\u036a\u0302\u036bz"]
)
def test_too_many_accents_on_one_letter_are_refused(heap: str) -> None:
    assert (_username(heap), _local(heap)) == (None, None)


@pytest.mark.parametrize("word", ["Nguyễn", "बच्चों", "བསྒྲུབས", "שָׁלוֹם", "مُحَمَّد", "ကြွှုံ့", "ส้ม", "ຊົ່ວ"])
def test_words_with_several_marks_are_accepted(word: str) -> None:
    assert username_key(word)
    assert email_key(f"{word}@example.org")


@pytest.mark.parametrize("name", ["ー", "ʻʻ", "--", "_", "'"])
def test_a_name_needs_a_letter_or_a_digit(name: str) -> None:
    assert _username(name) is None


@pytest.mark.parametrize("spelling", ["ANA@example.com", "ana@EXAMPLE.COM", "Ana@Example.Com"])
def test_spellings_of_an_address_have_one_key(spelling: str) -> None:
    assert email_key(spelling) == "ana@example.com"


def test_domains_are_compared_in_their_ascii_form() -> None:
    assert email_key("ana@bücher.de") == email_key("ana@xn--bcher-kva.de") == "ana@xn--bcher-kva.de"


def test_composed_and_decomposed_letters_are_the_same() -> None:
    assert email_key("café@example.com") == email_key("cafe\u0301@example.com")
    assert username_key("café") == username_key("cafe\u0301")


@pytest.mark.parametrize(("spelling", "key"), [("ANA", "ana"), ("Ａｎａ", "ana"), ("\u212aim", "kim"), ("ΣΑΣ", "σασ")])
def test_spellings_of_a_username_have_one_key(spelling: str, key: str) -> None:
    """Case and width are mapped (RFC 8265, section 3.3), and the final sigma with them."""
    assert username_key(spelling) == key


def test_look_alikes_of_other_scripts_are_other_names() -> None:
    assert username_key("ana") != username_key("аnа")


@pytest.mark.parametrize(
    "name", ["", "a b", "a@b", "a＠b", "a\u200bb", "\u202eana", "a\0", "\ud800", "ﬁ", None, 5, b"ana"]
)
def test_an_invalid_username_is_refused_with_its_reason(name: object) -> None:
    with pytest.raises(InvalidValue) as caught:
        username_key(name)
    assert [problem.field for problem in caught.value.problems] == ["username"]


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ana",
        "@",
        "a@b@example.com",
        "a b@example.com",
        "a\u200b@example.com",
        "a\0@example.com",
        "\ud800@example.com",
        "a@[127.0.0.1]",
        None,
        5,
    ],
)
def test_an_invalid_address_is_refused_with_its_reason(address: object) -> None:
    with pytest.raises(InvalidValue) as caught:
        email_key(address)
    assert [problem.field for problem in caught.value.problems] == ["email"]


@pytest.mark.parametrize("key", [email_key, username_key])
def test_length_is_checked_before_a_flood_of_marks_is_normalised(key: object) -> None:
    """Normalising this text would take seconds, so the message must be that of the length."""
    assert callable(key)
    with pytest.raises(InvalidValue, match=r"must have at most 25[45] characters"):
        key("a" + "\u0300\u0315" * 50_000 + "@example.com")


def test_the_local_part_has_at_most_64_octets() -> None:
    domain = "@example.com"
    assert email_key("a" * 64 + domain) == "a" * 64 + domain
    with pytest.raises(InvalidValue):
        email_key("a" * 65 + domain)
    with pytest.raises(InvalidValue, match="more than 64 octets"):
        email_key("é" * 33 + domain)


def test_an_address_has_at_most_254_octets() -> None:
    start = f"{'a' * 64}@{'b' * 63}.{'b' * 63}."
    assert len(email_key(start + "c" * 58 + ".de")) == 254
    with pytest.raises(InvalidValue, match="at most 254"):
        email_key(start + "c" * 59 + ".de")


def test_an_address_of_few_characters_may_have_too_many_octets() -> None:
    """Fewer than 254 characters may be more than 254 octets."""
    address = "é" * 32 + "@" + ".".join(["ü" * 20] * 7) + ".de"
    assert len(address) < 254
    with pytest.raises(InvalidValue, match=r"octets|long|too many"):
        email_key(address)


def test_a_key_may_have_more_octets_than_its_address() -> None:
    """Case folding turns ŉ into two letters."""
    start = f"{'ŉ' * 20}@{'b' * 63}.{'b' * 63}.{'b' * 63}."
    with pytest.raises(InvalidValue, match="more than 254 octets"):
        email_key(start + "c" * (250 - len(start.encode())) + ".de")


def test_a_fragment_is_folded_like_a_key() -> None:
    assert username_fragment("ＡN") == "an"
    assert email_fragment("Cafe\u0301") == "café"
    assert email_fragment("ΑΣ@BÜCHER") == "ασ@xn--bcher-kva"
    assert email_fragment("ana@exa.") == "ana@exa."
    assert email_fragment("@bü..") == "@bü.."


@settings(max_examples=300, deadline=None)
@given(TEXT)
def test_the_fragment_of_a_whole_name_is_its_key(name: str) -> None:
    key = _username(name)
    assert key is None or username_fragment(username_text(name)) == key
