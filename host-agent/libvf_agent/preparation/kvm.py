"""/dev/kvm for the group kvm and nobody else, and the group.

/dev/vfio/* gets no rule. A member of a group that may open those nodes could take any device that is free, and
through it reach what the IOMMU lets the device reach; so the agent gives each node to the one Pod whose claim it
is, by CDI, with uid and gid, and udev's own rule leaves them to root.
"""

from __future__ import annotations

import re

from libvf_agent.preparation.facts import Facts
from libvf_agent.preparation.steps import Evidence, Remake, Run, Section, WriteFile
from libvf_agent.preparation.wishes import Wishes

GROUP = "etc/group"
RULE = "etc/udev/rules.d/65-libvf-kvm.rules"
# the first folder that has a file of a name wins, as in udev
_FOLDERS = ("etc/udev/rules.d", "run/udev/rules.d", "usr/lib/udev/rules.d", "lib/udev/rules.d")
READS = (GROUP, *(f"{folder}/*.rules" for folder in _FOLDERS))

VFIO_NOTE = (
    "/dev/vfio/* stays root's: no udev rule is made for it, as a group that may open these nodes could take any "
    "free device; the agent gives each node to the one Pod whose claim it is"
)


def group_steps(facts: Facts, wishes: Wishes) -> tuple[Run, ...]:
    """The group and its members, where they are missing."""
    steps = []
    groups = facts.seen.text(GROUP)
    there = Evidence(GROUP, r"^kvm:")
    if not _seen(there, groups):
        steps.append(
            Run(
                ("groupadd", "--system", "kvm"),
                ("groupdel", "kvm"),
                there,
                Section.KVM,
                "udev gives /dev/kvm to this group",
            )
        )
    for user in dict.fromkeys(wishes.users):
        member = Evidence(GROUP, rf"^kvm:[^:]*:[^:]*:(.*,)?{re.escape(user)}(,.*)?$")
        if not _seen(member, groups):
            argv, undo = ("gpasswd", "--add", user, "kvm"), ("gpasswd", "--delete", user, "kvm")
            steps.append(
                Run(argv, undo, member, Section.KVM, f"{user} may then run accelerated virtual machines by hand")
            )
    return tuple(steps)


def rule_step(facts: Facts) -> WriteFile | None:
    """The udev rule, where the rules of the host give /dev/kvm to others or to everybody."""
    group, mode = _given(facts)
    if (group, mode) == ("kvm", "0660"):
        return None
    now = f"the rules of this host say group {group or 'root'}, mode {mode or '0600'}"
    return WriteFile(
        RULE,
        '# /dev/kvm for the group kvm and nobody else\nKERNEL=="kvm", GROUP="kvm", MODE="0660"\n',
        Section.KVM,
        f"/dev/kvm is for the group kvm and nobody else; {now}",
    )


def remakes(facts: Facts) -> tuple[Remake, ...]:
    """What makes udev follow a changed rule without a reboot."""
    if "udevadm" not in facts.seen.commands:
        return ()
    return (
        Remake(("udevadm", "control", "--reload"), "udev", "it reads its rules anew"),
        Remake(("udevadm", "trigger", "--name-match=kvm"), "/dev/kvm", "the node gets the group and mode of the rules"),
    )


def _seen(evidence: Evidence, text: str) -> bool:
    return re.search(evidence.pattern, text, re.MULTILINE) is not None


def _given(facts: Facts) -> tuple[str | None, str | None]:
    """Group and mode that the rules give in the end."""
    files: dict[str, str] = {}
    for folder in _FOLDERS:
        for path, text in facts.seen.texts_like(f"{folder}/*.rules").items():
            files.setdefault(path.rpartition("/")[2], text)
    group = mode = None
    for _, text in sorted(files.items()):
        for line in text.splitlines():
            if re.match(r'\s*(?!#).*KERNEL=="kvm"', line):
                group = _value("GROUP", line) or group
                mode = _value("MODE", line) or mode
    return group, mode


def _value(key: str, line: str) -> str | None:
    match = re.search(rf'\b{key}:?="([^"]*)"', line)
    return match[1] if match else None
