"""What is written instead of what identifies, and what is left as it is."""

import re
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from libvf_agent.capture.anonymous import EFI_GLOBAL, Pseudonyms

SALT = uuid.UUID("00000000-0000-4000-8000-000000000001")
NOBODY = Pseudonyms(SALT)


@settings(deadline=None)
@given(st.uuids(), st.text(), st.text())
def test_a_uuid_is_replaced_wherever_it_stands_and_in_every_form(one: uuid.UUID, before: str, after: str) -> None:
    name = NOBODY.uuid(str(one))
    for form in (str(one), str(one).upper()):
        text = NOBODY.text(f"{before}[{form}]{after}")
        assert str(one) not in text.lower()
        assert f"[{name}]" in text
    assert f"[{uuid.UUID(name).hex}]" in NOBODY.text(f"{before}[{one.hex}]{after}")


@settings(deadline=None)
@given(st.uuids(), st.uuids())
def test_different_uuids_stay_different_and_another_salt_gives_others(one: uuid.UUID, other: uuid.UUID) -> None:
    assert (NOBODY.uuid(str(one)) == NOBODY.uuid(str(other))) == (one == other)
    assert Pseudonyms(uuid.uuid5(SALT, "another")).uuid(str(one)) != NOBODY.uuid(str(one))


@pytest.mark.parametrize(
    "text",
    [
        "0x00000000b4000000 0x00000000b4ffffff 0x0000000000040200",
        "pci=resource_alignment=20@0000:65:00.0",
        "num_heads=4, frl_config=60, framebuffer=4096M, max_resolution=7680x4320, max_instance=4",
        "ID    : vGPU Name\n1147  : NVIDIA L40S-1Q",
        "Single port serial",
        "[low] normal high",
        "0000:65:00.0 0000:65:00.4",
        "0-15,32-47",
        f"sys/firmware/efi/efivars/SecureBoot-{EFI_GLOBAL}",
    ],
)
def test_what_drivers_say_of_cards_is_left_as_it_is(text: str) -> None:
    assert Pseudonyms.of(SALT, ["lovelace.example.org"]).text(text) == text


@pytest.mark.parametrize("text", ["mac:{}", "mac:{}:", "-{}-", "{}/24", "eth0={},up"])
@pytest.mark.parametrize("mac", ["52:54:00:ab:cd:ef", "52-54-00-AB-CD-EF", "24:8a:07:03:00:9c:f1:22"])
def test_an_address_of_a_network_card_becomes_zeros_whatever_it_is_glued_to(text: str, mac: str) -> None:
    zeros = re.sub(r"[0-9a-fA-F]", "0", mac)
    assert NOBODY.text(text.format(mac)).replace("m00:", "mac:") == text.format(zeros), "the end of `mac` is an octet"


def test_a_hosts_name_is_a_word_and_not_a_part_of_one() -> None:
    named = Pseudonyms.of(SALT, ["Ada.math.example.org."])
    assert named.text("6.12-ada #1 ADA.math.example.org") == "6.12-host #1 host"
    assert named.text("on math.example.org") == "on host"
    assert named.text("Canada, adapter") == "Canada, adapter"


@pytest.mark.parametrize("name", ["nvidia", "localhost", "localhost.localdomain", "7", "2024", "x", ""])
def test_names_that_many_hosts_have_do_not_spoil_what_drivers_say(name: str) -> None:
    text = "NVIDIA x 7 2024"
    assert Pseudonyms.of(SALT, [name]).text(text) == text


@settings(deadline=None)
@given(st.text(), st.from_regex(re.compile(r"[a-z][a-z0-9-]{2,20}[a-z0-9]"), fullmatch=True), st.text())
def test_a_hosts_name_is_never_left_standing(before: str, name: str, after: str) -> None:
    named = Pseudonyms.of(SALT, [name])
    if named.names:
        assert not re.search(rf"(?<![a-z0-9]){name}(?![a-z0-9])", named.text(f"{before} {name} {after}").lower())
