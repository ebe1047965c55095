"""The guest's network card, by which its ports are reached too."""

from collections.abc import Iterator

from libvf_api import mac as macs
from libvf_api import names
from libvf_api.launch import Launch
from libvf_api.v1alpha1 import Network

from libvf_launcher.devices import Devices, Tap
from libvf_launcher.errors import DeviceMissing

_SLIRP_DNS = "192.0.0.3"


def arguments(launch: Launch, devices: Devices) -> Iterator[str]:
    """A card on the Pod's network, unless there shall be none; raises DeviceMissing where its tap is not there."""
    network = launch.spec.network or Network()
    if network.mode == "None":
        return
    mtu = ""
    if network.mode == "Tap":
        if devices.tap is None:
            raise DeviceMissing("network.mode is Tap and no claim brought a tap: delete the Pod to have it made anew")
        yield from ("-netdev", _on_tap(devices.tap))
        mtu = f",host_mtu={devices.tap.mtu}"
    else:
        yield from ("-netdev", _user(launch))
    yield from ("-device", f"virtio-net-pci,netdev=net0,mac={mac(launch)},romfile={mtu}")


def mac(launch: Launch) -> str:
    """The card's address: as asked, else one that the VM's uid always gives, locally administered (IEEE 802)."""
    if launch.spec.network and launch.spec.network.mac:
        return launch.spec.network.mac
    return macs.derived(launch.uid)


def _user(launch: Launch) -> str:
    """User-mode network with the guest at the address that it has on a tap, and its ports under their own numbers."""
    ports = "".join(
        f",hostfwd={(port.protocol or 'TCP').lower()}::{port.port}-:{port.port}" for port in launch.spec.ports or ()
    )
    places = f"net={names.GUEST_NETWORK},host={names.GUEST_GATEWAY},dns={_SLIRP_DNS},dhcpstart={names.GUEST_ADDRESS}"
    return f"user,id=net0,{places}{ports}"


def _on_tap(tap: Tap) -> str:
    """The agent has made the tap for our uid, so it is attached to without privilege; vhost keeps QEMU off the data."""
    return f"tap,id=net0,ifname={tap.name},script=no,downscript=no,vhost={'on' if tap.vhost else 'off'}"
