"""On the node: the same machine by bare QEMU and by libvirt, each to a guest that runs, and what each holds then.

Arguments: the command line of the VM's QEMU as JSON, a type of mediated device and its parent, how many rounds, and how
many machines run at once while memory is looked at.
"""

import itertools
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time
import uuid

DOMAIN = """\
<domain type='{kind}'>
  <name>{name}</name>
  <uuid>{name_uuid}</uuid>
  <memory unit='MiB'>{memory}</memory>
  <vcpu>{cpus}</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <features><acpi/><vmport state='off'/></features>
  <cpu mode='maximum'/>
  <devices>
    <emulator>{emulator}</emulator>
    <controller type='usb' model='qemu-xhci'/>
    <input type='tablet' bus='usb'/>
    <graphics type='vnc' autoport='yes'/>
    <video><model type='vga'/></video>
    <serial type='pty'/>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
    <interface type='user'><model type='virtio'/><rom enabled='no'/></interface>
    <hostdev mode='subsystem' type='mdev' model='vfio-pci' display='off'>
      <source><address uuid='{device}'/></source>
    </hostdev>
    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
    <memballoon model='none'/>
  </devices>
</domain>
"""
MARKER = "/sys/bus/mdev/devices/"


def made(parent: str, kind: str) -> str:
    """A mediated device; its UUID."""
    device = str(uuid.uuid4())
    pathlib.Path(f"/sys/class/mdev_bus/{parent}/mdev_supported_types/{kind}/create").write_text(device)
    return device


def removed(device: str) -> None:
    """Give it back."""
    path = pathlib.Path(f"{MARKER}{device}/remove")
    for _ in range(100):  # the kernel lets go of it a moment after QEMU's end
        try:
            path.write_text("1")
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"{device} cannot be removed")


def bare_argv(argv: list[str], device: str, number: int) -> tuple[list[str], str]:
    """The VM's own, on another device and with sockets of its own; with the path of the one for QMP."""
    folder, words = f"/run/libvf/{number}", []
    for word in argv:
        head, marker, tail = word.partition(MARKER)
        word = f"{head}{marker}{device}{tail[36:]}" if marker else word
        words.append(word.replace("/run/libvf/", f"{folder}/").replace("logfile=/dev/stdout", "logfile=/dev/null"))
    return ["/usr/bin/qemu-system-x86_64", *words[1:]], f"{folder}/qmp.sock"


def qmp(path: str, process: "subprocess.Popen[bytes]") -> None:
    """Wait until QEMU says that the guest runs."""
    while True:
        channel = socket.socket(socket.AF_UNIX)
        try:
            channel.connect(path)
            break
        except OSError:
            channel.close()
            if process.poll() is not None:
                raise SystemExit(f"QEMU ended with {process.returncode}: {process.communicate()[1].decode()}") from None
            time.sleep(0.002)
    with channel, channel.makefile("rw") as stream:
        stream.readline()
        for command in ("qmp_capabilities", "query-status"):
            stream.write(json.dumps({"execute": command}) + "\n")
            stream.flush()
            answer = json.loads(stream.readline())
            while "event" in answer:
                answer = json.loads(stream.readline())
    if answer["return"]["status"] != "running":
        raise SystemExit(f"the guest does not run: {answer}")


def bare_start(argv: list[str], device: str, number: int = 0) -> "tuple[float, subprocess.Popen[bytes]]":
    """Seconds, and the process."""
    words, path = bare_argv(argv, device, number)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    pathlib.Path(path).unlink(missing_ok=True)
    began = time.monotonic()
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    qmp(path, process)
    return time.monotonic() - began, process


def libvirt() -> "subprocess.Popen[bytes]":
    """Its daemon, which is there before any machine, as on a host."""
    name = shutil.which("virtqemud") or "libvirtd"
    process = subprocess.Popen([name], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(300):
        if subprocess.run(["virsh", "version"], capture_output=True).returncode == 0:
            return process
        time.sleep(0.2)
    raise SystemExit("libvirt's daemon does not answer")


def virsh(*words: str) -> None:
    """One command, which must succeed."""
    done = subprocess.run(["virsh", *words], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"virsh {' '.join(words)}: {done.stderr}")


def define(argv: list[str], name: str, device: str) -> None:
    """Tell libvirt of a machine like the one of that command line."""
    following = dict(itertools.pairwise(argv))
    document = DOMAIN.format(
        kind="kvm" if following["-accel"] == "kvm" else "qemu",
        name=name,
        name_uuid=uuid.uuid4(),
        memory=following["-m"].rstrip("M"),
        cpus=following["-smp"].partition(",")[0],
        emulator="/usr/bin/qemu-system-x86_64",
        device=device,
    )
    path = pathlib.Path(f"/run/{name}.xml")
    path.write_text(document)
    virsh("define", str(path))


def virsh_start(name: str) -> float:
    """Seconds: it returns when QEMU has answered and the guest goes on."""
    began = time.monotonic()
    virsh("start", name)
    return time.monotonic() - began


def pss(pid: int) -> int:
    """Its share of the memory that it maps, in bytes."""
    lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def qemus() -> list[int]:
    """QEMU processes that libvirt started, by their names."""
    found = []
    for path in pathlib.Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                words = (path / "cmdline").read_text().split("\0")
            except OSError:
                continue
            if any(word.startswith("guest=peer-") for word in words):
                found.append(int(path.name))
    return found


def starts(argv: list[str], device: str, rounds: int) -> dict[str, list[float]]:
    """Seconds of each start, the two by turns; the first of each is not counted, as libvirt probes QEMU in it."""
    define(argv, "peer-0", device)
    found: dict[str, list[float]] = {"bare": [], "virsh": []}
    for number in range(rounds + 1):
        seconds, process = bare_start(argv, device)
        process.kill()
        process.wait()
        if number:
            found["bare"].append(seconds)
        time.sleep(0.5)
        seconds = virsh_start("peer-0")
        virsh("destroy", "peer-0")
        if number:
            found["virsh"].append(seconds)
        time.sleep(0.5)
    virsh("undefine", "peer-0")
    return found


def footprint(argv: list[str], devices: list[str], daemon: "subprocess.Popen[bytes]") -> dict[str, object]:
    """Bytes, each by PSS: of QEMU alone when it is bare, and under libvirt; of libvirt's daemon with these machines."""
    processes = [bare_start(argv, device, number)[1] for number, device in enumerate(devices)]
    time.sleep(2)
    bare = [pss(process.pid) for process in processes]
    for process in processes:
        process.kill()
        process.wait()
    time.sleep(1)
    for number, device in enumerate(devices):
        define(argv, f"peer-{number}", device)
        virsh("start", f"peer-{number}")
    time.sleep(2)
    found = {"bare": bare, "libvirt": [pss(pid) for pid in qemus()], "daemon": pss(daemon.pid)}
    for number, _ in enumerate(devices):
        virsh("destroy", f"peer-{number}")
        virsh("undefine", f"peer-{number}")
    return found


def main(text: str, kind: str, parent: str, rounds: str, machines: str) -> dict[str, object]:
    """Both, or one of the two where a number is 0."""
    argv, daemon = json.loads(text), libvirt()
    devices = [made(parent, kind) for _ in range(max(1, int(machines)))]
    try:
        return {
            "starts": starts(argv, devices[0], int(rounds)) if int(rounds) else None,
            "footprint": footprint(argv, devices, daemon) if int(machines) else None,
        }
    finally:
        daemon.terminate()
        daemon.wait()
        for device in devices:
            removed(device)


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
