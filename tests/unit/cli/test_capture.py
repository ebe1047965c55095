"""`kubectl vf capture`."""

import re
from pathlib import Path

import pytest
from libvf_api.capture import FORMAT, Capture, Manifest, pack, unpack
from libvf_cli.__main__ import main

from tests.unit.cli.conftest import Kubectl

HOME = "sys/devices/pci0000:64/0000:65:00.0"
HOST = Capture(
    Manifest(
        format=FORMAT,
        agent="0.1.0",
        kernel="6.12.9-amd64",
        files=4,
        links={f"{HOME}/driver": "sys/bus/pci/drivers/nvidia", "sys/class/mdev_bus/0000:65:00.4": HOME},
        refused={f"{HOME}/nvidia/placement_id": "ENXIO", f"{HOME}/nvidia/vgpu_params": "EIO"},
        unlisted={f"{HOME}/drm": "ENXIO"},
        write_only=(f"{HOME}/remove",),
    ),
    {
        f"{HOME}/class": "0x030200\n",
        f"{HOME}/vendor": "0x10de\n",
        f"{HOME}/device": "0x25b6\n",
        "sys/devices/pci0000:64/class": "0x060400\n",
    },
)


@pytest.fixture(autouse=True)
def folder(kubectl: Kubectl, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own folder, and a cluster of two nodes."""
    place = kubectl.folder / "home"
    place.mkdir()
    monkeypatch.chdir(place)
    kubectl.agents(n1="Running", n2="Running")
    return place


def test_the_nodes_agent_is_asked_and_its_bytes_are_kept(
    kubectl: Kubectl, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kubectl.answers("exec", "agent-n1", output=pack(HOST))
    assert main(["capture", "n1"]) == 0
    [file] = folder.iterdir()
    assert re.fullmatch(r"n1-\d{4}-\d\d-\d\d\.tar\.gz", file.name)
    assert file.read_bytes() == pack(HOST)
    [call] = [call for call in kubectl.calls if "exec" in call]
    assert call == [
        "exec", "agent-n1", "--namespace=libvf-system", "--container=agent", "--",
        "python3", "-m", "libvf_agent", "capture", "--output=-",
    ]  # fmt: skip


def test_what_it_has_is_told_and_that_it_should_be_looked_at(
    kubectl: Kubectl, capsys: pytest.CaptureFixture[str]
) -> None:
    kubectl.answers("exec", output=pack(HOST))
    assert main(["capture", "n1", "--file", "card.tar.gz"]) == 0
    assert capsys.readouterr().out == (
        "FUNCTION       PCI-ID      CLASS      DRIVER\n"
        "0000:65:00.0   10de:25b6   0x030200   nvidia\n"
        "\n"
        "card.tar.gz: 1 KiB, Linux 6.12.9-amd64, agent 0.1.0\n"
        "1 parents of mediated devices, 0 of these\n"
        "4 files, 2 links, 1 files for writing only, not readable: EIO 1, ENXIO 2\n"
        "\n"
        "Look at it before you send it, and give it another name if the node's should stay private:\n"
        "  tar --extract --to-stdout --file card.tar.gz | less\n"
        "docs/capture.md says what it has, and what it never has\n"
    )


def test_a_host_without_a_card_is_an_archive_too(kubectl: Kubectl, capsys: pytest.CaptureFixture[str]) -> None:
    kubectl.answers("exec", output=pack(Capture(Manifest(format=FORMAT, agent="0.1.0", kernel="6.12"))))
    assert main(["capture", "n2", "-f", "n2.tar.gz"]) == 0
    assert capsys.readouterr().out.startswith("no GPU that is a PCI function\n")


def test_one_card_can_be_asked_for(kubectl: Kubectl) -> None:
    kubectl.answers("exec", "--card=65:00.0", output=pack(HOST))
    assert main(["capture", "n1", "--card", "65:00.0", "--context", "lab"]) == 0
    assert all(call[0] == "--context=lab" for call in kubectl.calls)


def test_a_file_that_is_there_is_left_alone_and_no_host_is_asked(
    kubectl: Kubectl, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "mine").write_text("precious")
    assert main(["capture", "n1", "--file", "mine"]) == 1
    assert capsys.readouterr().err == "kubectl-vf: mine is there already: name another file with --file\n"
    assert (folder / "mine").read_text() == "precious"
    assert not (kubectl.folder / "calls").exists()


def test_a_folder_that_is_not_there_is_told(kubectl: Kubectl, capsys: pytest.CaptureFixture[str]) -> None:
    kubectl.answers("exec", output=pack(HOST))
    assert main(["capture", "n1", "--file", "no/such/folder"]) == 1
    assert "no/such/folder: No such file or directory: name another file" in capsys.readouterr().err


@pytest.mark.parametrize("length", [0, 20, 400])
def test_an_archive_that_came_in_part_is_not_kept(
    length: int, kubectl: Kubectl, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kubectl.answers("exec", output=pack(HOST)[:length])
    assert main(["capture", "n1"]) == 1
    assert "agent-n1 did not answer with a capture" in capsys.readouterr().err
    assert not list(folder.iterdir())


def test_the_agents_own_words_are_told_where_it_fails(
    kubectl: Kubectl, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = "libvf-agent: there is more to capture here than 8 MiB: capture the card alone, --card 0000:65:00.0"
    kubectl.answers("exec", errors=told, code=1)
    assert main(["capture", "n1"]) == 1
    assert capsys.readouterr().err == f"kubectl-vf: kubectl exec agent-n1: {told}\n"
    assert not list(folder.iterdir())


def test_a_node_without_agent_is_told_the_names_that_have_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["capture", "n9"]) == 1
    assert capsys.readouterr().err == "kubectl-vf: no agent on node n9: name one of n1, n2\n"


def test_an_agent_that_does_not_run_is_not_asked(kubectl: Kubectl, capsys: pytest.CaptureFixture[str]) -> None:
    (kubectl.folder / "answers").write_text("")
    kubectl.agents(n1="Pending")
    assert main(["capture", "n1"]) == 1
    assert "the agent's Pod agent-n1 is Pending: kubectl describe pod" in capsys.readouterr().err


def test_what_was_kept_is_read_again(kubectl: Kubectl, folder: Path) -> None:
    kubectl.answers("exec", output=pack(HOST))
    assert main(["capture", "n1", "-f", "card.tar.gz"]) == 0
    assert unpack((folder / "card.tar.gz").read_bytes()) == HOST
