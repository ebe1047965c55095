"""systemd's units, one for each program. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from libvf_workstation import flags
from libvf_workstation.layout import Layout

TARGET = "libvf-workstation.target"
NETWORK, ETCD, APISERVER = "libvf-network.service", "libvf-etcd.service", "libvf-apiserver.service"
MANAGER, SCHEDULER = "libvf-controller-manager.service", "libvf-scheduler.service"
CONTAINERD, KUBELET = "libvf-containerd.service", "libvf-kubelet.service"
SERVICES = (NETWORK, ETCD, APISERVER, MANAGER, SCHEDULER, CONTAINERD, KUBELET)


@dataclass(frozen=True, slots=True)
class Service:
    """A program that runs for as long as the host does; `after` is what must be up before it."""

    what: str
    argv: Sequence[str]
    after: Sequence[str] = ()
    kind: str = "simple"
    more: Sequence[str] = ()


def texts(layout: Layout, node: str) -> dict[str, str]:
    """Each unit's file by its name."""
    wants = " ".join(SERVICES)
    target = f"[Unit]\nDescription=libvf workstation\nWants={wants}\n\n[Install]\nWantedBy=multi-user.target\n"
    return {TARGET: target, NETWORK: _network(layout)} | {
        name: _text(layout, service) for name, service in _services(layout, node).items()
    }


def _services(layout: Layout, node: str) -> dict[str, Service]:
    plane, bin_folder = layout.plane, layout.bin
    hardened = ["--anonymous-auth=false", "--profiling=false"]
    kubelet = [
        f"--config={layout.state / 'kubelet.json'}",
        f"--kubeconfig={layout.state / 'kubelet.kubeconfig'}",
        f"--hostname-override={node}",
        f"--node-ip={layout.address}",
        f"--root-dir={layout.kubelet}",
    ]
    lasting = ("Delegate=yes", "KillMode=process", "LimitNOFILE=1048576", "TasksMax=infinity", "OOMScoreAdjust=-999")
    return {
        ETCD: Service("etcd", [str(bin_folder / "etcd"), *flags.etcd(plane)], kind="notify"),
        APISERVER: Service(
            "kube-apiserver",
            [
                str(bin_folder / "kube-apiserver"),
                *flags.apiserver(plane),
                *flags.aggregation(plane, dials_pods=True),
                *hardened,
            ],
            (NETWORK, ETCD),
            kind="notify",
        ),
        MANAGER: Service(
            "kube-controller-manager",
            [
                str(bin_folder / "kube-controller-manager"),
                *flags.controller_manager(plane),
                f"--flex-volume-plugin-dir={layout.state / 'volume-plugins'}",  # it makes it, in /usr by itself
            ],
            (APISERVER,),
        ),
        SCHEDULER: Service(
            "kube-scheduler", [str(bin_folder / "kube-scheduler"), *flags.scheduler(plane)], (APISERVER,)
        ),
        CONTAINERD: Service(
            "containerd",
            [str(bin_folder / "containerd"), "--config", str(layout.state / "containerd.toml")],
            (NETWORK,),
            kind="notify",
            more=lasting,
        ),
        KUBELET: Service(
            "kubelet", [str(bin_folder / "kubelet"), *kubelet], (CONTAINERD, APISERVER), more=("KillMode=process",)
        ),
    }


def _text(layout: Layout, service: Service) -> str:
    needs = " ".join(service.after)
    order = f"Wants={needs}\nAfter={needs}\n" if needs else ""
    more = "".join(f"{line}\n" for line in service.more)
    # a slow host takes its time to bring the API server up, and systemd would end it
    return f"""\
[Unit]
Description=libvf workstation: {service.what}
PartOf={TARGET}
{order}
[Service]
Type={service.kind}
Environment=PATH={layout.bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ExecStart={" ".join(service.argv)}
Restart=always
RestartSec=2
TimeoutStartSec=600
{more}"""


def _network(layout: Layout) -> str:
    return f"""\
[Unit]
Description=libvf workstation: the bridge of its Pods
PartOf={TARGET}

[Service]
Type=oneshot
RemainAfterExit=yes
Environment=PATH={layout.bin}:/usr/sbin:/usr/bin:/sbin:/bin
ExecStart=/bin/sh {layout.state / "network-up"}
ExecStop=/bin/sh {layout.state / "network-down"}
"""
