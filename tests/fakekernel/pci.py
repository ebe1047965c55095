"""The kernel's PCI bus: functions, drivers that take them, IOMMU groups, and SR-IOV.

The answers are those of drivers/pci/pci-sysfs.c, drivers/pci/iov.c and drivers/base/bus.c; the contract suite
holds them to a real kernel.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from tests.fakekernel.host import FakeHost
from tests.fakekernel.layout import resource, shifted
from tests.fakekernel.network import Ethernet
from tests.fakekernel.tree import File, Folder, Link, fail

BUS = "sys/bus/pci"
GROUPS = "sys/kernel/iommu_groups"
ROOT = "sys/devices/pci0000:64/0000:64:00.0"
VFIO = "vfio-pci"


@dataclass
class Function:
    """A function of the bus; `native` takes it where no override says otherwise, `with_` shares its IOMMU group.

    `made` virtual functions are its driver's own doing when it is loaded, and sriov_numvfs does not change them.
    """

    address: str
    pci_id: str = "1002:74a1"
    class_code: str = "120000"
    native: str = ""
    reset: str | None = "flr bus"
    boot_vga: bool | None = None
    numa_node: int = 0
    bars: tuple[int, ...] = (256 << 20,)
    with_: str = ""
    isolated: bool = True
    total_vfs: int = 0
    made: int = 0
    offset: int = 1
    stride: int = 1
    vf_native: str = ""
    vf_id: str = ""
    physical: str = ""
    driver: str = ""
    override: str = ""
    group: int | None = None
    vfs: list[str] = field(default_factory=list)
    autoprobe: bool = True
    network: Ethernet | None = None


class Pci:
    """The bus; `drivers` are those that are loaded."""

    def __init__(self, host: FakeHost, drivers: tuple[str, ...] = (VFIO,)) -> None:
        self._host = host
        self.functions: dict[str, Function] = {}
        host.tree.put(f"{BUS}/devices", Folder())
        host.tree.put(f"{BUS}/drivers_probe", File(write=self._probe_written))
        for name in drivers:
            self.load(name)
        host.parts.append(self)

    def load(self, driver: str) -> None:
        """A driver is loaded: nothing is bound by that alone."""
        folder = f"{BUS}/drivers/{driver}"
        if not self._host.tree.exists(folder):
            self._host.tree.put(f"{folder}/bind", File(write=lambda text: self._bind_written(driver, text)))
            self._host.tree.put(f"{folder}/unbind", File(write=lambda text: self._unbind_written(driver, text)))

    def add(self, function: Function, probe: bool = True) -> Function:
        """A function appears, and its native driver takes it."""
        if function.native:
            self.load(function.native)
        self.functions[function.address] = function
        self._put(function)
        if probe:
            self._probe(function)
        self._make(function, function.made)
        return function

    def lose(self, address: str) -> None:
        """It falls off the bus, with all that is below it."""
        for one in [*self.functions[address].vfs, address]:
            self._drop(self.functions[one])

    def cut(self, address: str, count: int) -> None:
        """Virtual functions as a driver makes them, whatever its file takes; 0 takes all away."""
        function = self.functions[address]
        for vf in list(function.vfs):
            self._wait_closed(self.functions[vf])
            self._drop(self.functions[vf])
        self._drop_links(function)
        self._make(function, count)

    def open(self, address: str, pid: int = 4711, command: str = "qemu-system-x86", hidden: bool = False) -> None:
        """A process opens its VFIO group."""
        self._host.open(f"/dev/vfio/{self.functions[address].group}", pid, command, hidden)

    def reboot(self) -> None:
        """No virtual function, no override and no binding by hand survives."""
        for function in self.functions.values():
            self._drop_links(function)
        for function in list(self.functions.values()):
            self._drop_links(function)
            if function.physical:
                self._drop(function)
        for function in list(self.functions.values()):
            function.override, function.vfs, function.autoprobe = "", [], True
            self._release(function)
            self._probe(function)
            self._make(function, function.made)

    # files

    def _put(self, function: Function) -> None:
        tree, home = self._host.tree, self._home(function)
        vendor, _, device = function.pci_id.partition(":")
        texts = {"vendor": f"0x{vendor}", "device": f"0x{device}", "class": f"0x{function.class_code}"}
        texts["numa_node"] = str(function.numa_node)
        texts["resource"] = resource(function.bars)
        if function.boot_vga is not None:
            texts["boot_vga"] = str(int(function.boot_vga))
        if function.reset is not None:
            texts["reset_method"] = function.reset
        for name, text in texts.items():
            tree.text(f"{home}/{name}", text)
        override = File(
            lambda: f"{function.override or '(null)'}\n", lambda text: setattr(function, "override", text.strip())
        )
        tree.put(f"{home}/driver_override", override)
        if function.total_vfs:
            self._put_sriov(function, home)
        tree.put(f"{BUS}/devices/{function.address}", Link(home))
        if function.isolated:
            self._join_group(function, home)

    def _put_sriov(self, function: Function, home: str) -> None:
        tree = self._host.tree
        for name, value in (("totalvfs", function.total_vfs), ("offset", function.offset), ("stride", function.stride)):
            tree.text(f"{home}/sriov_{name}", str(value))
        numvfs = File(lambda: f"{len(function.vfs)}\n", lambda text: self._count_written(function, text))
        tree.put(f"{home}/sriov_numvfs", numvfs)
        autoprobe = File(lambda: f"{int(function.autoprobe)}\n", lambda text: _autoprobe(function, text))
        tree.put(f"{home}/sriov_drivers_autoprobe", autoprobe)

    def _join_group(self, function: Function, home: str) -> None:
        beside = self.functions.get(function.with_)
        number = beside.group if beside and beside.group is not None else self._host.new_group()
        function.group = number
        self._host.tree.put(f"{GROUPS}/{number}/devices/{function.address}", Link(home))
        self._host.tree.put(f"{home}/iommu_group", Link(f"{GROUPS}/{number}"))

    def _home(self, function: Function) -> str:
        return f"{ROOT}/{function.address}"

    def _drop(self, function: Function) -> None:
        tree = self._host.tree
        self._release(function)
        tree.drop(f"{BUS}/devices/{function.address}")
        tree.drop(self._home(function))
        if function.group is not None:
            tree.drop(f"{GROUPS}/{function.group}/devices/{function.address}")
            if not any(f.group == function.group and f is not function for f in self.functions.values()):
                tree.drop(f"{GROUPS}/{function.group}")
                self._host.drop_group(function.group)
        self.functions.pop(function.address, None)

    # drivers

    def _attach(self, function: Function, driver: str) -> None:
        function.driver = driver
        home = self._home(function)
        self._host.tree.put(f"{home}/driver", Link(f"{BUS}/drivers/{driver}"))
        self._host.tree.put(f"{BUS}/drivers/{driver}/{function.address}", Link(home))
        if function.network and driver == function.native:
            function.network.appear(self._host, home)

    def _release(self, function: Function) -> None:
        if function.driver:
            self._host.tree.drop(f"{BUS}/drivers/{function.driver}/{function.address}")
            self._host.tree.drop(f"{self._home(function)}/driver")
            if function.network:
                function.network.vanish(self._host, self._home(function))
            function.driver = ""

    def _probe(self, function: Function) -> None:
        """The first driver that matches: the override and nothing else where there is one."""
        driver = function.override or function.native
        if not function.driver and driver and self._host.tree.exists(f"{BUS}/drivers/{driver}"):
            self._attach(function, driver)

    def _probe_written(self, text: str) -> None:
        self._probe(self._named(text, f"{BUS}/drivers_probe", errno.ENODEV))

    def _bind_written(self, driver: str, text: str) -> None:
        path = f"{BUS}/drivers/{driver}/bind"
        function = self._named(text, path, errno.ENODEV)
        if (function.override or function.native) != driver:
            raise fail(errno.ENODEV, path)
        if function.driver:
            raise fail(errno.EBUSY, path)
        self._attach(function, driver)

    def _unbind_written(self, driver: str, text: str) -> None:
        path = f"{BUS}/drivers/{driver}/unbind"
        function = self._named(text, path, errno.ENODEV)
        if function.driver != driver:
            raise fail(errno.ENODEV, path)
        self._wait_closed(function)
        for vf in list(function.vfs):
            self._drop(self.functions[vf])
        self._drop_links(function)
        self._release(function)

    def _wait_closed(self, function: Function) -> None:
        """VFIO's remove waits for whoever has the device open."""
        if "vfio" in function.driver:
            self._host.wait_closed(f"/dev/vfio/{function.group}")

    def _named(self, text: str, path: str, number: int) -> Function:
        function = self.functions.get(text.strip())
        if function is None:
            raise fail(number, path)
        return function

    # SR-IOV

    def _count_written(self, function: Function, text: str) -> None:
        path = f"{BUS}/devices/{function.address}/sriov_numvfs"
        if not text.strip().isdecimal():
            raise fail(errno.EINVAL, path)
        count = int(text)
        if count > function.total_vfs:
            raise fail(errno.ERANGE, path)
        if count == len(function.vfs):
            return
        if not function.driver or function.driver == VFIO or function.made:
            raise fail(errno.ENOENT, path)  # no driver, or one without sriov_configure
        if count and function.vfs:
            raise fail(errno.EBUSY, path)
        self.cut(function.address, count)

    def _make(self, function: Function, count: int) -> None:
        fresh = {"total_vfs": 0, "made": 0, "boot_vga": None, "driver": "", "override": "", "with_": ""}
        if function.network:
            function.network.cut(count)
        for number in range(count):
            address = shifted(function.address, function.offset + number * function.stride)
            ids = {"pci_id": function.vf_id or function.pci_id, "native": function.vf_native}
            vf = replace(function, address=address, physical=function.address, network=None, vfs=[], **ids, **fresh)
            self.add(vf, probe=function.autoprobe)
            function.vfs.append(vf.address)
            self._host.tree.put(f"{self._home(function)}/virtfn{number}", Link(self._home(vf)))
            self._host.tree.put(f"{self._home(vf)}/physfn", Link(self._home(function)))

    def _drop_links(self, function: Function) -> None:
        for number in range(len(function.vfs)):
            self._host.tree.drop(f"{self._home(function)}/virtfn{number}")
        function.vfs = []


def _autoprobe(function: Function, text: str) -> None:
    if text.strip().lower() not in ("0", "1", "y", "n"):
        raise fail(errno.EINVAL, "sriov_drivers_autoprobe")
    function.autoprobe = text.strip().lower() in ("1", "y")


class PciHost(FakeHost):
    """A host with these functions on its bus."""

    bus: type[Pci] = Pci

    def __init__(self, *functions: Function, drivers: tuple[str, ...] = (VFIO,), numa_nodes: int = 1) -> None:
        super().__init__(numa_nodes)
        self.pci = self.bus(self, drivers)
        for function in functions:
            self.pci.add(function)

    @contextmanager
    def held_function(self, address: str) -> Iterator[None]:
        """A process has a function open for a while."""
        self.pci.open(address)
        try:
            yield
        finally:
            self.close()
