"""Types of libvf.io/v1alpha1, generated from crds/ by api/generate.py: do not edit."""
from __future__ import annotations
from typing import Annotated, Any, Literal, TypeAlias
from msgspec import Meta, Struct, UNSET, UnsetType, field


Model: TypeAlias = Any


class Vram(Struct):
    """
    Video memory: a card that is already cut in a fitting size is taken first, else the smallest type that fits.
    """

    min: (
        Annotated[
            int | str,
            Meta(description="The least that will do, a quantity such as 1Gi."),
        ]
        | UnsetType
    ) = UNSET
    """
    The least that will do, a quantity such as 1Gi.
    """
    max: (
        Annotated[
            int | str,
            Meta(description="The most that is wanted, a quantity such as 4Gi."),
        ]
        | UnsetType
    ) = UNSET
    """
    The most that is wanted, a quantity such as 4Gi.
    """


class Cell(Struct):
    """
    CPUs and memory on the NUMA node of the slices. The containers that use the claim are held to them; what their Pod requests must cover both.
    """

    cpus: Annotated[int, Meta(description="How many CPUs, which no other cell has.")]
    """
    How many CPUs, which no other cell has.
    """
    memory: Annotated[
        int | str, Meta(description="How much memory, a quantity such as 8Gi.")
    ]
    """
    How much memory, a quantity such as 8Gi.
    """
    hugepages: (
        Annotated[
            Literal["2Mi", "1Gi"],
            Meta(
                description="Size of the huge pages that it is made of; plain pages where it is left out."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    Size of the huge pages that it is made of; plain pages where it is left out.
    """
    overhead: (
        Annotated[
            int | str,
            Meta(
                description="Plain memory beside it for the programs themselves, a quantity such as 256Mi."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    Plain memory beside it for the programs themselves, a quantity such as 256Mi.
    """
    policy: (
        Annotated[
            Literal["Aligned", "Preferred"],
            Meta(
                description="Aligned waits until slices, CPUs and memory of one NUMA node can be had. Preferred takes them from several where no one has them all, and where no node has the CPUs none is kept for it. Default Aligned."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    Aligned waits until slices, CPUs and memory of one NUMA node can be had. Preferred takes them from several where no one has them all, and where no node has the CPUs none is kept for it. Default Aligned.
    """


class GpuPartitionSpec(Struct):
    """
    What kind of slice is wanted. It cannot be changed, as a ResourceClaim cannot.
    """

    vram: (
        Annotated[
            Vram,
            Meta(
                description="Video memory: a card that is already cut in a fitting size is taken first, else the smallest type that fits.",
                title="GpuPartitionSpecVram",
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    Video memory: a card that is already cut in a fitting size is taken first, else the smallest type that fits.
    """
    type: (
        Annotated[
            str,
            Meta(
                description="A type's name as the driver gives it, such as nvidia-746, or a glob such as nvidia-*."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    A type's name as the driver gives it, such as nvidia-746, or a glob such as nvidia-*.
    """
    mode: (
        Annotated[
            Literal["Mediated", "VirtualFunction", "Passthrough"],
            Meta(
                description="How the slice is made. Any way will do where it is left out."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    How the slice is made. Any way will do where it is left out.
    """
    vendor: (
        Annotated[
            Literal["nvidia", "intel", "amd", "kernel-sample"],
            Meta(description="Whose card, in lower case."),
        ]
        | UnsetType
    ) = UNSET
    """
    Whose card, in lower case.
    """
    device: (
        Annotated[
            str,
            Meta(
                description="PCI vendor and device id of the card, such as 10de:25b6."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    PCI vendor and device id of the card, such as 10de:25b6.
    """
    count: (
        Annotated[
            int,
            Meta(
                description="How many such slices, all on one NUMA node where nodes are known. Default 1."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    How many such slices, all on one NUMA node where nodes are known. Default 1.
    """
    fallback: (
        Annotated[
            Literal["None", "VirtioGpu"],
            Meta(
                description="What to do where no slice fits. None waits for one; VirtioGpu gives the consumer a device of kind virtual-gpu instead, for which a VirtualMachine runs a virtio-gpu. Default None."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    What to do where no slice fits. None waits for one; VirtioGpu gives the consumer a device of kind virtual-gpu instead, for which a VirtualMachine runs a virtio-gpu. Default None.
    """
    cell: (
        Annotated[
            Cell,
            Meta(
                description="CPUs and memory on the NUMA node of the slices. The containers that use the claim are held to them; what their Pod requests must cover both.",
                title="GpuPartitionSpecCell",
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    CPUs and memory on the NUMA node of the slices. The containers that use the claim are held to them; what their Pod requests must cover both.
    """


class Cell1(Struct):
    """
    What the claim has of a NUMA node; absent where it has no cell.
    """

    numa_node: Annotated[int, Meta(description="The NUMA node.")] | UnsetType = field(
        name="numaNode", default=UNSET
    )
    """
    The NUMA node.
    """
    cpus: Annotated[str, Meta(description="Its CPUs, such as 4-7,12.")] | UnsetType = (
        UNSET
    )
    """
    Its CPUs, such as 4-7,12.
    """
    shared_cpus: (
        Annotated[
            str,
            Meta(
                description="The CPUs that its containers share with the host, for all that is no virtual CPU."
            ),
        ]
        | UnsetType
    ) = field(name="sharedCpus", default=UNSET)
    """
    The CPUs that its containers share with the host, for all that is no virtual CPU.
    """


class Device(Struct):
    name: Annotated[str, Meta(description="The allocated device in its pool.")]
    """
    The allocated device in its pool.
    """
    parent: (
        Annotated[
            str,
            Meta(
                description="The parent device, a PCI address or a name in /sys/class/mdev_bus."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    The parent device, a PCI address or a name in /sys/class/mdev_bus.
    """
    type: Annotated[str, Meta(description="The type's name.")] | UnsetType = UNSET
    """
    The type's name.
    """
    mode: Annotated[str, Meta(description="How it was made.")] | UnsetType = UNSET
    """
    How it was made.
    """
    vram: (
        Annotated[str, Meta(description="Its video memory, a quantity.")] | UnsetType
    ) = UNSET
    """
    Its video memory, a quantity.
    """
    numa_node: (
        Annotated[int, Meta(description="The NUMA node of its parent, where known.")]
        | UnsetType
    ) = field(name="numaNode", default=UNSET)
    """
    The NUMA node of its parent, where known.
    """
    mdev_uuid: Annotated[str, Meta(description="The mediated device.")] | UnsetType = (
        field(name="mdevUUID", default=UNSET)
    )
    """
    The mediated device.
    """
    pci_address: Annotated[str, Meta(description="The PCI function.")] | UnsetType = (
        field(name="pciAddress", default=UNSET)
    )
    """
    The PCI function.
    """
    iommu_group: Annotated[int, Meta(description="Its IOMMU group.")] | UnsetType = (
        field(name="iommuGroup", default=UNSET)
    )
    """
    Its IOMMU group.
    """


class Condition(Struct):
    type: Annotated[str, Meta(description="What the condition is about.")]
    """
    What the condition is about.
    """
    status: Annotated[
        Literal["True", "False", "Unknown"], Meta(description="Whether it holds.")
    ]
    """
    Whether it holds.
    """
    reason: Annotated[str, Meta(description="Why, in one CamelCase word.")]
    """
    Why, in one CamelCase word.
    """
    message: Annotated[str, Meta(description="Why, and what to do, for people.")]
    """
    Why, and what to do, for people.
    """
    last_transition_time: Annotated[
        str, Meta(description="When status last changed.")
    ] = field(name="lastTransitionTime")
    """
    When status last changed.
    """
    observed_generation: (
        Annotated[int, Meta(description="The generation of the spec it speaks of.")]
        | UnsetType
    ) = field(name="observedGeneration", default=UNSET)
    """
    The generation of the spec it speaks of.
    """


class GpuPartitionStatus(Struct):
    """
    What was observed. Written by the operator only.
    """

    observed_generation: (
        Annotated[
            int,
            Meta(description="The generation of the spec that this status speaks of."),
        ]
        | UnsetType
    ) = field(name="observedGeneration", default=UNSET)
    """
    The generation of the spec that this status speaks of.
    """
    node: (
        Annotated[str, Meta(description="The node that holds the slice.")] | UnsetType
    ) = UNSET
    """
    The node that holds the slice.
    """
    claim_name: (
        Annotated[
            str,
            Meta(
                description="The ResourceClaim to name in a Pod's spec.resourceClaims."
            ),
        ]
        | UnsetType
    ) = field(name="claimName", default=UNSET)
    """
    The ResourceClaim to name in a Pod's spec.resourceClaims.
    """
    consumer: (
        Annotated[
            str,
            Meta(description="Who uses it, as Pod/<name> or VirtualMachine/<name>."),
        ]
        | UnsetType
    ) = UNSET
    """
    Who uses it, as Pod/<name> or VirtualMachine/<name>.
    """
    cell: (
        Annotated[
            Cell1,
            Meta(
                description="What the claim has of a NUMA node; absent where it has no cell.",
                title="GpuPartitionStatusCell",
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    What the claim has of a NUMA node; absent where it has no cell.
    """
    devices: (
        Annotated[list[Device], Meta(description="The slices that the claim became.")]
        | UnsetType
    ) = UNSET
    """
    The slices that the claim became.
    """
    conditions: (
        Annotated[
            list[Condition],
            Meta(
                description="Ready sums up; Allocated says that the scheduler has chosen, Prepared that the agent has carved."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    Ready sums up; Allocated says that the scheduler has chosen, Prepared that the agent has carved.
    """


class MatchExpression(Struct):
    key: Annotated[str, Meta(description="The label.")]
    """
    The label.
    """
    operator: Annotated[
        Literal["In", "NotIn", "Exists", "DoesNotExist"],
        Meta(
            description="NotIn and DoesNotExist also hold on nodes without the label."
        ),
    ]
    """
    NotIn and DoesNotExist also hold on nodes without the label.
    """
    values: (
        Annotated[
            list[str],
            Meta(description="What the label may be (In), or must not be (NotIn)."),
        ]
        | UnsetType
    ) = UNSET
    """
    What the label may be (In), or must not be (NotIn).
    """


class NodeSelector(Struct):
    """
    The nodes, by their labels, as everywhere in Kubernetes. All nodes where it is left out.
    """

    match_labels: (
        Annotated[
            dict[str, str],
            Meta(description="Labels that a node must have with these values."),
        ]
        | UnsetType
    ) = field(name="matchLabels", default=UNSET)
    """
    Labels that a node must have with these values.
    """
    match_expressions: (
        Annotated[
            list[MatchExpression],
            Meta(description="Conditions on labels, all of which must hold."),
        ]
        | UnsetType
    ) = field(name="matchExpressions", default=UNSET)
    """
    Conditions on labels, all of which must hold.
    """


class Cards(Struct):
    """
    The cards; all that is given must match. All display and accelerator cards where it is left out. Other PCI functions (network cards, NVMe disks) are touched only where devices or addresses name them.
    """

    vendor: (
        Annotated[
            str, Meta(description="Whose card, in lower case, or the PCI vendor id.")
        ]
        | UnsetType
    ) = UNSET
    """
    Whose card, in lower case, or the PCI vendor id.
    """
    devices: (
        Annotated[
            list[str],
            Meta(
                description="PCI vendor and device ids, any of which will do, such as 10de:25b6 (lspci -n)."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    PCI vendor and device ids, any of which will do, such as 10de:25b6 (lspci -n).
    """
    addresses: (
        Annotated[
            list[str],
            Meta(
                description="PCI addresses (lspci -D), any of which will do, or names of virtual cards."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    PCI addresses (lspci -D), any of which will do, or names of virtual cards.
    """
    class_: (
        Annotated[
            Literal["Display", "Accelerator", "Any"],
            Meta(description="What kind of card. Any of both where it is left out."),
        ]
        | UnsetType
    ) = field(name="class", default=UNSET)
    """
    What kind of card. Any of both where it is left out.
    """


class VirtualFunctions(Struct):
    """
    The virtual functions (SR-IOV) that are made with the first claim and go with the last one.
    """

    count: (
        Annotated[
            int,
            Meta(
                description="How many a card is cut into, at most as many as it can have; of NVIDIA cards always all. Where it is left out none are made. Functions that somebody else has made are used as they are, and never removed."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    How many a card is cut into, at most as many as it can have; of NVIDIA cards always all. Where it is left out none are made. Functions that somebody else has made are used as they are, and never removed.
    """
    sizes: (
        Annotated[
            list[int | str],
            Meta(
                description="Video memory of a function, a quantity such as 2Gi; several where the driver can mix them. Equal parts where it is left out."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    Video memory of a function, a quantity such as 2Gi; several where the driver can mix them. Equal parts where it is left out.
    """
    exec_quantum: (
        Annotated[
            int | str,
            Meta(
                description="How long a function may work at a stretch, such as 5ms; a bare number is milliseconds."
            ),
        ]
        | UnsetType
    ) = field(name="execQuantum", default=UNSET)
    """
    How long a function may work at a stretch, such as 5ms; a bare number is milliseconds.
    """
    preempt_timeout: (
        Annotated[
            int | str,
            Meta(
                description="How long it is waited for a function that does not stop, such as 20ms or 500us; a bare number is milliseconds."
            ),
        ]
        | UnsetType
    ) = field(name="preemptTimeout", default=UNSET)
    """
    How long it is waited for a function that does not stop, such as 20ms or 500us; a bare number is milliseconds.
    """
    priority: (
        Annotated[
            Literal["Low", "Normal", "High"],
            Meta(
                description="How the card's scheduler ranks functions, the host's own among them."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    How the card's scheduler ranks functions, the host's own among them.
    """


class Reserve(Struct):
    """
    What the host keeps of each card for itself.
    """

    vram: (
        Annotated[
            int | str,
            Meta(
                description="Video memory that no function gets, a quantity such as 1Gi."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    Video memory that no function gets, a quantity such as 1Gi.
    """


class GpuPolicySpec(Struct):
    """
    Which cards, and what may be made of them. On each card one policy holds: that of the highest priority, then the one whose cards are named most closely, then the oldest. A change takes effect on a card when nothing is in use on it that it concerns; until then the status says what is waited for.
    """

    node_selector: (
        Annotated[
            NodeSelector,
            Meta(
                description="The nodes, by their labels, as everywhere in Kubernetes. All nodes where it is left out.",
                title="GpuPolicySpecNodeSelector",
            ),
        ]
        | UnsetType
    ) = field(name="nodeSelector", default=UNSET)
    """
    The nodes, by their labels, as everywhere in Kubernetes. All nodes where it is left out.
    """
    cards: (
        Annotated[
            Cards,
            Meta(
                description="The cards; all that is given must match. All display and accelerator cards where it is left out. Other PCI functions (network cards, NVMe disks) are touched only where devices or addresses name them.",
                title="GpuPolicySpecCards",
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    The cards; all that is given must match. All display and accelerator cards where it is left out. Other PCI functions (network cards, NVMe disks) are touched only where devices or addresses name them.
    """
    priority: (
        Annotated[
            int,
            Meta(
                description="Of several policies on one card the highest holds. Default 0."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    Of several policies on one card the highest holds. Default 0.
    """
    modes: (
        Annotated[
            list[Literal["Mediated", "VirtualFunction", "Passthrough"]],
            Meta(
                description="The ways in which the cards may be cut or handed out. All of them where it is left out; with an empty list the cards are left alone."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    The ways in which the cards may be cut or handed out. All of them where it is left out; with an empty list the cards are left alone.
    """
    types: (
        Annotated[
            list[str],
            Meta(
                description="Types that may be offered, by name or glob, such as nvidia-7*. All where it is left out."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    Types that may be offered, by name or glob, such as nvidia-7*. All where it is left out.
    """
    virtual_functions: (
        Annotated[
            VirtualFunctions,
            Meta(
                description="The virtual functions (SR-IOV) that are made with the first claim and go with the last one.",
                title="GpuPolicySpecVirtualFunctions",
            ),
        ]
        | UnsetType
    ) = field(name="virtualFunctions", default=UNSET)
    """
    The virtual functions (SR-IOV) that are made with the first claim and go with the last one.
    """
    exclude: (
        Annotated[
            list[str],
            Meta(
                description="PCI addresses that are never touched on the nodes of this policy, whatever another policy says of them: cards, single virtual functions, or what would go with a card (its audio function)."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    PCI addresses that are never touched on the nodes of this policy, whatever another policy says of them: cards, single virtual functions, or what would go with a card (its audio function).
    """
    reserve: (
        Annotated[
            Reserve,
            Meta(
                description="What the host keeps of each card for itself.",
                title="GpuPolicySpecReserve",
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    What the host keeps of each card for itself.
    """
    vram: (
        Annotated[
            int | str,
            Meta(
                description="The video memory of a whole card, a quantity, for cards of which no file tells it."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    The video memory of a whole card, a quantity, for cards of which no file tells it.
    """
    heterogeneous: (
        Annotated[
            bool,
            Meta(
                description="Whether NVIDIA cards that can do so mix sizes. As the card stands where it is left out."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    Whether NVIDIA cards that can do so mix sizes. As the card stands where it is left out.
    """
    parameters: (
        Annotated[
            dict[str, int | str],
            Meta(
                description="NVIDIA's vgpu_params for each vGPU that is made, such as frame_rate_limiter: 0. They are written as they are; which there are is in NVIDIA's documents."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    NVIDIA's vgpu_params for each vGPU that is made, such as frame_rate_limiter: 0. They are written as they are; which there are is in NVIDIA's documents.
    """
    take_from_host: (
        Annotated[
            bool,
            Meta(
                description="Whether whole cards are taken from the host's graphics driver while a claim has them. Default false."
            ),
        ]
        | UnsetType
    ) = field(name="takeFromHost", default=UNSET)
    """
    Whether whole cards are taken from the host's graphics driver while a claim has them. Default false.
    """
    host_display: (
        Annotated[
            Literal["Keep", "Take"],
            Meta(
                description="Whether the card that drives the host's only screen may be handed out whole. Default Keep."
            ),
        ]
        | UnsetType
    ) = field(name="hostDisplay", default=UNSET)
    """
    Whether the card that drives the host's only screen may be handed out whole. Default Keep.
    """
    reuse_without_reset: (
        Annotated[
            bool,
            Meta(
                description="Whether whole cards that cannot be reset are handed out again: the next guest may see what the one before left in them. Default false."
            ),
        ]
        | UnsetType
    ) = field(name="reuseWithoutReset", default=UNSET)
    """
    Whether whole cards that cannot be reset are handed out again: the next guest may see what the one before left in them. Default false.
    """
    drain: (
        Annotated[
            bool,
            Meta(
                description="Whether nothing new comes to the cards; what is in use stays. Default false."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    Whether nothing new comes to the cards; what is in use stays. Default false.
    """


class Card(Struct):
    name: Annotated[
        str, Meta(description="The PCI address, or the name of a virtual card.")
    ]
    """
    The PCI address, or the name of a virtual card.
    """
    effective: Annotated[
        bool, Meta(description="Whether the policy is in force on it.")
    ]
    """
    Whether the policy is in force on it.
    """
    reason: Annotated[str, Meta(description="Why, in one CamelCase word.")]
    """
    Why, in one CamelCase word.
    """
    message: (
        Annotated[str, Meta(description="Why, and what to do, for people.")] | UnsetType
    ) = UNSET
    """
    Why, and what to do, for people.
    """


class Node(Struct):
    name: Annotated[str, Meta(description="The node.")]
    """
    The node.
    """
    cards: (
        Annotated[
            list[Card],
            Meta(description="The cards of this node that the policy selects."),
        ]
        | UnsetType
    ) = UNSET
    """
    The cards of this node that the policy selects.
    """


class GpuPolicyStatus(Struct):
    """
    What was observed. Written by the operator only, from what each node's agent says.
    """

    observed_generation: (
        Annotated[
            int,
            Meta(description="The generation of the spec that this status speaks of."),
        ]
        | UnsetType
    ) = field(name="observedGeneration", default=UNSET)
    """
    The generation of the spec that this status speaks of.
    """
    selected_cards: (
        Annotated[int, Meta(description="How many cards of all nodes it selects.")]
        | UnsetType
    ) = field(name="selectedCards", default=UNSET)
    """
    How many cards of all nodes it selects.
    """
    effective_cards: (
        Annotated[int, Meta(description="On how many of them it is in force.")]
        | UnsetType
    ) = field(name="effectiveCards", default=UNSET)
    """
    On how many of them it is in force.
    """
    nodes: (
        Annotated[
            list[Node],
            Meta(
                description="Its cards on each node, those on which it is not in force before others; not all of them where there are more than a status should hold."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    Its cards on each node, those on which it is not in force before others; not all of them where there are more than a status should hold.
    """
    conditions: (
        Annotated[
            list[Condition],
            Meta(
                description="Ready says that it is in force wherever it should be; Reconciling that it will be without anybody doing anything; Stalled that somebody must act; Conflicting that another policy of equal rank says otherwise."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    Ready says that it is in force wherever it should be; Reconciling that it will be without anybody doing anything; Stalled that somebody must act; Conflicting that another policy of equal rank says otherwise.
    """


class Cpu(Struct):
    """
    Virtual CPUs; sockets x cores x threads of them.
    """

    cores: (
        Annotated[int, Meta(description="Cores in a socket. Default 1.")] | UnsetType
    ) = UNSET
    """
    Cores in a socket. Default 1.
    """
    sockets: Annotated[int, Meta(description="Sockets. Default 1.")] | UnsetType = UNSET
    """
    Sockets. Default 1.
    """
    threads: (
        Annotated[int, Meta(description="Threads of a core. Default 1.")] | UnsetType
    ) = UNSET
    """
    Threads of a core. Default 1.
    """
    model: (
        Annotated[
            str,
            Meta(description="A QEMU CPU model. Default: host under KVM, max without."),
        ]
        | UnsetType
    ) = UNSET
    """
    A QEMU CPU model. Default: host under KVM, max without.
    """
    acceleration: (
        Annotated[
            Literal["Required", "Preferred"],
            Meta(
                description="Required runs only under KVM; Preferred also without, told by HardwareAccelerated=False. Default Required."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    Required runs only under KVM; Preferred also without, told by HardwareAccelerated=False. Default Required.
    """


class Memory(Struct):
    """
    Guest memory.
    """

    size: Annotated[int | str, Meta(description="How much, a quantity such as 8Gi.")]
    """
    How much, a quantity such as 8Gi.
    """
    hugepages: (
        Annotated[
            Literal["2Mi", "1Gi"],
            Meta(
                description="Size of the huge pages that back it; the node must have reserved them."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    Size of the huge pages that back it; the node must have reserved them.
    """


class Gpu(Struct):
    name: Annotated[str, Meta(description="Its name, unique in the VM.")]
    """
    Its name, unique in the VM.
    """
    partition_ref: (
        Annotated[str, Meta(description="A GpuPartition of the same namespace.")]
        | UnsetType
    ) = field(name="partitionRef", default=UNSET)
    """
    A GpuPartition of the same namespace.
    """
    vram: (
        Annotated[
            Vram,
            Meta(
                description="Video memory: a card that is already cut in a fitting size is taken first, else the smallest type that fits.",
                title="VirtualMachineSpecGpuVram",
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    Video memory: a card that is already cut in a fitting size is taken first, else the smallest type that fits.
    """
    type: (
        Annotated[
            str,
            Meta(
                description="A type's name as the driver gives it, such as nvidia-746, or a glob such as nvidia-*."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    A type's name as the driver gives it, such as nvidia-746, or a glob such as nvidia-*.
    """
    mode: (
        Annotated[
            Literal["Mediated", "VirtualFunction", "Passthrough"],
            Meta(
                description="How the slice is made. Any way will do where it is left out."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    How the slice is made. Any way will do where it is left out.
    """
    vendor: (
        Annotated[
            Literal["nvidia", "intel", "amd", "kernel-sample"],
            Meta(description="Whose card, in lower case."),
        ]
        | UnsetType
    ) = UNSET
    """
    Whose card, in lower case.
    """
    device: (
        Annotated[
            str,
            Meta(
                description="PCI vendor and device id of the card, such as 10de:25b6."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    PCI vendor and device id of the card, such as 10de:25b6.
    """


class Numa(Struct):
    """
    Whether GPU, CPUs and memory are kept on one NUMA node; condition NumaAligned tells whether they are.
    """

    policy: (
        Annotated[
            Literal["Aligned", "Preferred", "None"],
            Meta(
                description="Aligned waits until one NUMA node has them all, and gives each virtual CPU a CPU; Preferred runs the machine on several where no node has; None does not care. Default None."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    Aligned waits until one NUMA node has them all, and gives each virtual CPU a CPU; Preferred runs the machine on several where no node has; None does not care. Default None.
    """


class Uefi(Struct):
    """
    UEFI instead of BIOS. Its variables are on spec.state, without it they end with the run.
    """

    secure_boot: (
        Annotated[
            bool,
            Meta(
                description="Whether only signed systems start, by the keys of Microsoft and of the distribution. Default false."
            ),
        ]
        | UnsetType
    ) = field(name="secureBoot", default=UNSET)
    """
    Whether only signed systems start, by the keys of Microsoft and of the distribution. Default false.
    """


class Firmware(Struct):
    """
    What the guest's firmware is and says.
    """

    uefi: (
        Annotated[
            Uefi,
            Meta(
                description="UEFI instead of BIOS. Its variables are on spec.state, without it they end with the run.",
                title="VirtualMachineSpecFirmwareUefi",
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    UEFI instead of BIOS. Its variables are on spec.state, without it they end with the run.
    """
    tpm: (
        Annotated[
            bool, Meta(description="A TPM 2.0, kept on spec.state. Default false.")
        ]
        | UnsetType
    ) = UNSET
    """
    A TPM 2.0, kept on spec.state. Default false.
    """
    serial: (
        Annotated[str, Meta(description="The SMBIOS serial number of the machine.")]
        | UnsetType
    ) = UNSET
    """
    The SMBIOS serial number of the machine.
    """
    oem_strings: (
        Annotated[
            list[str],
            Meta(
                description="SMBIOS type 11 strings; systemd in a guest reads credentials from those that begin with io.systemd.credential."
            ),
        ]
        | UnsetType
    ) = field(name="oemStrings", default=UNSET)
    """
    SMBIOS type 11 strings; systemd in a guest reads credentials from those that begin with io.systemd.credential.
    """


class PersistentVolumeClaim(Struct):
    """
    A PersistentVolumeClaim of the same namespace, used by this VM alone.
    """

    claim_name: Annotated[str, Meta(description="Its name.")] = field(name="claimName")
    """
    Its name.
    """


class State(Struct):
    """
    The volume that outlives the Pod: UEFI variables, the TPM, and what disks with changes Keep have become.
    """

    size: (
        Annotated[
            int | str,
            Meta(
                description="Makes a PersistentVolumeClaim <vm>-state of that size, which goes with the VM."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    Makes a PersistentVolumeClaim <vm>-state of that size, which goes with the VM.
    """
    storage_class_name: (
        Annotated[
            str, Meta(description="Its StorageClass. Default: that of the cluster.")
        ]
        | UnsetType
    ) = field(name="storageClassName", default=UNSET)
    """
    Its StorageClass. Default: that of the cluster.
    """
    persistent_volume_claim: (
        Annotated[
            PersistentVolumeClaim,
            Meta(
                description="A PersistentVolumeClaim of the same namespace, used by this VM alone.",
                title="VirtualMachineSpecStatePersistentVolumeClaim",
            ),
        ]
        | UnsetType
    ) = field(name="persistentVolumeClaim", default=UNSET)
    """
    A PersistentVolumeClaim of the same namespace, used by this VM alone.
    """


class HostPath(Struct):
    """
    A folder on the node, for one workstation. Needs a namespace that admits hostPath volumes.
    """

    path: Annotated[str, Meta(description="The absolute path of the folder.")]
    """
    The absolute path of the folder.
    """


class PersistentVolumeClaim1(Struct):
    """
    A PersistentVolumeClaim of the same namespace.
    """

    claim_name: Annotated[str, Meta(description="Its name.")] = field(name="claimName")
    """
    Its name.
    """


class Filesystem(Struct):
    name: Annotated[str, Meta(description="Its virtiofs tag, unique in the VM.")]
    """
    Its virtiofs tag, unique in the VM.
    """
    read_only: (
        Annotated[bool, Meta(description="Whether the guest may only read it.")]
        | UnsetType
    ) = field(name="readOnly", default=UNSET)
    """
    Whether the guest may only read it.
    """
    owner: (
        Annotated[
            int,
            Meta(
                description="The guest's user and group whose files these are in the guest, such as 1000 for the first user of a desktop; on the host they are uid 107's. Default 0, root."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    The guest's user and group whose files these are in the guest, such as 1000 for the first user of a desktop; on the host they are uid 107's. Default 0, root.
    """
    host_path: (
        Annotated[
            HostPath,
            Meta(
                description="A folder on the node, for one workstation. Needs a namespace that admits hostPath volumes.",
                title="VirtualMachineSpecFilesystemHostPath",
            ),
        ]
        | UnsetType
    ) = field(name="hostPath", default=UNSET)
    """
    A folder on the node, for one workstation. Needs a namespace that admits hostPath volumes.
    """
    persistent_volume_claim: (
        Annotated[
            PersistentVolumeClaim1,
            Meta(
                description="A PersistentVolumeClaim of the same namespace.",
                title="VirtualMachineSpecFilesystemPersistentVolumeClaim",
            ),
        ]
        | UnsetType
    ) = field(name="persistentVolumeClaim", default=UNSET)
    """
    A PersistentVolumeClaim of the same namespace.
    """


class Image(Struct):
    """
    An OCI image whose file is the disk; it is only read, what the guest writes goes to an overlay.
    """

    reference: Annotated[str, Meta(description="The image, such as registry/name:tag.")]
    """
    The image, such as registry/name:tag.
    """
    path: (
        Annotated[
            str, Meta(description="The disk file inside the image. Default disk.img.")
        ]
        | UnsetType
    ) = UNSET
    """
    The disk file inside the image. Default disk.img.
    """
    pull_policy: (
        Annotated[
            Literal["Always", "IfNotPresent", "Never"],
            Meta(description="When to pull. Default IfNotPresent."),
        ]
        | UnsetType
    ) = field(name="pullPolicy", default=UNSET)
    """
    When to pull. Default IfNotPresent.
    """


class PersistentVolumeClaim2(Struct):
    """
    A PersistentVolumeClaim of the same namespace with the disk file on it.
    """

    claim_name: Annotated[str, Meta(description="Its name.")] = field(name="claimName")
    """
    Its name.
    """
    path: (
        Annotated[
            str, Meta(description="The disk file on the volume. Default disk.img.")
        ]
        | UnsetType
    ) = UNSET
    """
    The disk file on the volume. Default disk.img.
    """
    create: (
        Annotated[
            int | str,
            Meta(
                description="Makes the disk file, blank and of that size, where it is not there yet."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    Makes the disk file, blank and of that size, where it is not there yet.
    """


class HostPath1(Struct):
    """
    A file on the node, for one workstation. Needs a namespace that admits hostPath volumes.
    """

    path: Annotated[str, Meta(description="The absolute path of the file.")]
    """
    The absolute path of the file.
    """


class Disk(Struct):
    name: Annotated[str, Meta(description="Its name, unique in the VM.")]
    """
    Its name, unique in the VM.
    """
    bus: (
        Annotated[
            Literal["virtio", "sata"],
            Meta(description="How the guest sees it. Default virtio."),
        ]
        | UnsetType
    ) = UNSET
    """
    How the guest sees it. Default virtio.
    """
    format: (
        Annotated[
            Literal["raw", "qcow2"],
            Meta(description="The format of the source's file. Default raw."),
        ]
        | UnsetType
    ) = UNSET
    """
    The format of the source's file. Default raw.
    """
    read_only: (
        Annotated[bool, Meta(description="Whether the guest may only read it.")]
        | UnsetType
    ) = field(name="readOnly", default=UNSET)
    """
    Whether the guest may only read it.
    """
    changes: (
        Annotated[
            Literal["Source", "Discard", "Keep"],
            Meta(
                description="Where what the guest writes goes. Source writes to the disk itself (the default for persistentVolumeClaim and hostPath); Discard to an overlay that ends with the run (the default for image and size); Keep to an overlay or a disk on spec.state, which is there again at the next start. An overlay that is kept belongs to the base it was made over."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    Where what the guest writes goes. Source writes to the disk itself (the default for persistentVolumeClaim and hostPath); Discard to an overlay that ends with the run (the default for image and size); Keep to an overlay or a disk on spec.state, which is there again at the next start. An overlay that is kept belongs to the base it was made over.
    """
    size: (
        Annotated[
            int | str,
            Meta(
                description="A blank disk of that size, which ends with the run unless changes is Keep; a kept one grows when this is raised, and never shrinks."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    A blank disk of that size, which ends with the run unless changes is Keep; a kept one grows when this is raised, and never shrinks.
    """
    image: (
        Annotated[
            Image,
            Meta(
                description="An OCI image whose file is the disk; it is only read, what the guest writes goes to an overlay.",
                title="VirtualMachineSpecDiskImage",
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    An OCI image whose file is the disk; it is only read, what the guest writes goes to an overlay.
    """
    persistent_volume_claim: (
        Annotated[
            PersistentVolumeClaim2,
            Meta(
                description="A PersistentVolumeClaim of the same namespace with the disk file on it.",
                title="VirtualMachineSpecDiskPersistentVolumeClaim",
            ),
        ]
        | UnsetType
    ) = field(name="persistentVolumeClaim", default=UNSET)
    """
    A PersistentVolumeClaim of the same namespace with the disk file on it.
    """
    host_path: (
        Annotated[
            HostPath1,
            Meta(
                description="A file on the node, for one workstation. Needs a namespace that admits hostPath volumes.",
                title="VirtualMachineSpecDiskHostPath",
            ),
        ]
        | UnsetType
    ) = field(name="hostPath", default=UNSET)
    """
    A file on the node, for one workstation. Needs a namespace that admits hostPath volumes.
    """


class Image1(Struct):
    """
    An OCI image whose file is the CD-ROM.
    """

    reference: Annotated[str, Meta(description="The image, such as registry/name:tag.")]
    """
    The image, such as registry/name:tag.
    """
    path: (
        Annotated[
            str, Meta(description="The disk file inside the image. Default disk.img.")
        ]
        | UnsetType
    ) = UNSET
    """
    The disk file inside the image. Default disk.img.
    """
    pull_policy: (
        Annotated[
            Literal["Always", "IfNotPresent", "Never"],
            Meta(description="When to pull. Default IfNotPresent."),
        ]
        | UnsetType
    ) = field(name="pullPolicy", default=UNSET)
    """
    When to pull. Default IfNotPresent.
    """


class PersistentVolumeClaim3(Struct):
    """
    A PersistentVolumeClaim of the same namespace with the disk file on it.
    """

    claim_name: Annotated[str, Meta(description="Its name.")] = field(name="claimName")
    """
    Its name.
    """
    path: (
        Annotated[
            str, Meta(description="The disk file on the volume. Default disk.img.")
        ]
        | UnsetType
    ) = UNSET
    """
    The disk file on the volume. Default disk.img.
    """


class Cdrom(Struct):
    name: Annotated[str, Meta(description="Its name, unique in the VM.")]
    """
    Its name, unique in the VM.
    """
    image: (
        Annotated[
            Image1,
            Meta(
                description="An OCI image whose file is the CD-ROM.",
                title="VirtualMachineSpecCdromImage",
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    An OCI image whose file is the CD-ROM.
    """
    persistent_volume_claim: (
        Annotated[
            PersistentVolumeClaim3,
            Meta(
                description="A PersistentVolumeClaim of the same namespace with the disk file on it.",
                title="VirtualMachineSpecCdromPersistentVolumeClaim",
            ),
        ]
        | UnsetType
    ) = field(name="persistentVolumeClaim", default=UNSET)
    """
    A PersistentVolumeClaim of the same namespace with the disk file on it.
    """
    host_path: (
        Annotated[
            HostPath1,
            Meta(
                description="A file on the node, for one workstation. Needs a namespace that admits hostPath volumes.",
                title="VirtualMachineSpecCdromHostPath",
            ),
        ]
        | UnsetType
    ) = field(name="hostPath", default=UNSET)
    """
    A file on the node, for one workstation. Needs a namespace that admits hostPath volumes.
    """


class Install(Struct):
    """
    Installs a guest: runs from the CD-ROM with an emulated screen and no GPU until the guest shuts down; from then on Installed is True and the VM runs from its disk, without the CD-ROM. The disk is tried before the CD-ROM, so that it boots at the installer's own reboots. It is done once; another iso, disk or place of the disk is another installation.
    """

    iso: Annotated[str, Meta(description="Which of spec.cdroms holds the installer.")]
    """
    Which of spec.cdroms holds the installer.
    """
    disk: Annotated[
        str,
        Meta(
            description="Which of spec.disks it installs to; blank at first, and one that stays."
        ),
    ]
    """
    Which of spec.disks it installs to; blank at first, and one that stays.
    """


class Image2(Struct):
    """
    An OCI image whose files these are.
    """

    reference: Annotated[str, Meta(description="The image, such as registry/name:tag.")]
    """
    The image, such as registry/name:tag.
    """
    pull_policy: (
        Annotated[
            Literal["Always", "IfNotPresent", "Never"],
            Meta(description="When to pull. Default IfNotPresent."),
        ]
        | UnsetType
    ) = field(name="pullPolicy", default=UNSET)
    """
    When to pull. Default IfNotPresent.
    """


class PersistentVolumeClaim4(Struct):
    """
    A PersistentVolumeClaim of the same namespace with the files on it.
    """

    claim_name: Annotated[str, Meta(description="Its name.")] = field(name="claimName")
    """
    Its name.
    """


class HostPath3(Struct):
    """
    A folder on the node, for one workstation. Needs a namespace that admits hostPath volumes.
    """

    path: Annotated[str, Meta(description="The absolute path of the folder.")]
    """
    The absolute path of the folder.
    """


class SshKeys(Struct):
    """
    A Secret whose key authorized_keys may log in to the guest by ssh.
    """

    secret_name: Annotated[str, Meta(description="Its name.")] = field(
        name="secretName"
    )
    """
    Its name.
    """


class GuestTools(Struct):
    """
    A CD for the guest, with what is in the folder (drivers, Looking Glass, Scream) and scripts that install it, an ssh key, and a guest that does not fall asleep.
    """

    enabled: (
        Annotated[bool, Meta(description="Whether the CD is attached. Default true.")]
        | UnsetType
    ) = UNSET
    """
    Whether the CD is attached. Default true.
    """
    image: (
        Annotated[
            Image2,
            Meta(
                description="An OCI image whose files these are.",
                title="VirtualMachineSpecGuestToolsImage",
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    An OCI image whose files these are.
    """
    persistent_volume_claim: (
        Annotated[
            PersistentVolumeClaim4,
            Meta(
                description="A PersistentVolumeClaim of the same namespace with the files on it.",
                title="VirtualMachineSpecGuestToolsPersistentVolumeClaim",
            ),
        ]
        | UnsetType
    ) = field(name="persistentVolumeClaim", default=UNSET)
    """
    A PersistentVolumeClaim of the same namespace with the files on it.
    """
    host_path: (
        Annotated[
            HostPath3,
            Meta(
                description="A folder on the node, for one workstation. Needs a namespace that admits hostPath volumes.",
                title="VirtualMachineSpecGuestToolsHostPath",
            ),
        ]
        | UnsetType
    ) = field(name="hostPath", default=UNSET)
    """
    A folder on the node, for one workstation. Needs a namespace that admits hostPath volumes.
    """
    ssh_keys: (
        Annotated[
            SshKeys,
            Meta(
                description="A Secret whose key authorized_keys may log in to the guest by ssh.",
                title="VirtualMachineSpecGuestToolsSshKeys",
            ),
        ]
        | UnsetType
    ) = field(name="sshKeys", default=UNSET)
    """
    A Secret whose key authorized_keys may log in to the guest by ssh.
    """


class Graphics(Struct):
    """
    Whose screen the guest has.
    """

    mode: (
        Annotated[
            Literal["Accelerated", "Safe", "Headless", "Disabled"],
            Meta(
                description="Accelerated shows the GPU's own screen; Safe an emulated one beside the GPU; Headless none; Disabled an emulated one and no GPU. Default Accelerated."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    Accelerated shows the GPU's own screen; Safe an emulated one beside the GPU; Headless none; Disabled an emulated one and no GPU. Default Accelerated.
    """
    fallback: (
        Annotated[
            Literal["None", "VirtioGpu"],
            Meta(
                description="What to do where no slice fits, for gpus that are no partitionRef. None waits for one; VirtioGpu runs the guest on a virtio-gpu instead, and says so in the condition GpuPrepared. Default None."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    What to do where no slice fits, for gpus that are no partitionRef. None waits for one; VirtioGpu runs the guest on a virtio-gpu instead, and says so in the condition GpuPrepared. Default None.
    """


class LookingGlass(Struct):
    """
    The memory that a Looking Glass host in the guest shares its frames through.
    """

    resolution: (
        Annotated[
            str,
            Meta(
                description="The largest screen that is to fit, such as 2560x1440. Default 3840x2160."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    The largest screen that is to fit, such as 2560x1440. Default 3840x2160.
    """


class Network(Struct):
    """
    The guest's network.
    """

    mode: (
        Annotated[
            Literal["User", "Tap", "None"],
            Meta(
                description="User reaches out through the Pod's network and needs no right on the node; Tap does so faster, by a tap of the Pod that the host agent makes; None has no network card. Default User."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    User reaches out through the Pod's network and needs no right on the node; Tap does so faster, by a tap of the Pod that the host agent makes; None has no network card. Default User.
    """
    mac: (
        Annotated[
            str,
            Meta(
                description="The address of the card. Default: one of its own, from the uid of the VM."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    The address of the card. Default: one of its own, from the uid of the VM.
    """
    vsock: (
        Annotated[
            bool,
            Meta(
                description="Whether the guest has a vsock to its host; status.vsockCid is the number that the host reaches it by. Default false."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    Whether the guest has a vsock to its host; status.vsockCid is the number that the host reaches it by. Default false.
    """
    service_type: (
        Annotated[
            Literal["ClusterIP", "NodePort", "LoadBalancer"],
            Meta(
                description="The type of the Service that carries spec.ports. Default ClusterIP."
            ),
        ]
        | UnsetType
    ) = field(name="serviceType", default=UNSET)
    """
    The type of the Service that carries spec.ports. Default ClusterIP.
    """


class Nic(Struct):
    name: Annotated[str, Meta(description="Its name, unique in the VM.")]
    """
    Its name, unique in the VM.
    """
    mac: (
        Annotated[
            str,
            Meta(
                description="The address of the function. Default: one of its own, from the uid of the VM and its name here."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    The address of the function. Default: one of its own, from the uid of the VM and its name here.
    """
    device: (
        Annotated[
            str,
            Meta(
                description="PCI vendor and device id of the card, not of its functions, such as 8086:10c9. Default: any."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    PCI vendor and device id of the card, not of its functions, such as 8086:10c9. Default: any.
    """


class UsbItem(Struct):
    name: Annotated[str, Meta(description="Its name, unique in the VM.")]
    """
    Its name, unique in the VM.
    """
    device: Annotated[
        str, Meta(description="USB vendor and product id, such as 046d:c52b.")
    ]
    """
    USB vendor and product id, such as 046d:c52b.
    """


class Port(Struct):
    name: Annotated[str, Meta(description="Its name, unique in the VM, such as ssh.")]
    """
    Its name, unique in the VM, such as ssh.
    """
    port: Annotated[int, Meta(description="The port in the guest.")]
    """
    The port in the guest.
    """
    service_port: (
        Annotated[
            int, Meta(description="The port of the Service. Default: as in the guest.")
        ]
        | UnsetType
    ) = field(name="servicePort", default=UNSET)
    """
    The port of the Service. Default: as in the guest.
    """
    protocol: (
        Annotated[Literal["TCP", "UDP"], Meta(description="Default TCP.")] | UnsetType
    ) = UNSET
    """
    Default TCP.
    """


class CloudInit(Struct):
    """
    Data for cloud-init in the guest, handed to it as a NoCloud disk: ISO 9660, label cidata.
    """

    secret_name: (
        Annotated[
            str,
            Meta(
                description="A Secret with the key user-data, and if wanted meta-data, network-config and vendor-data."
            ),
        ]
        | UnsetType
    ) = field(name="secretName", default=UNSET)
    """
    A Secret with the key user-data, and if wanted meta-data, network-config and vendor-data.
    """
    user_data: (
        Annotated[
            str, Meta(description="The user data itself, where it holds no secret.")
        ]
        | UnsetType
    ) = field(name="userData", default=UNSET)
    """
    The user data itself, where it holds no secret.
    """


class Sysprep(Struct):
    """
    Answers for Windows setup, handed to it on a CD.
    """

    secret_name: Annotated[
        str,
        Meta(
            description="A Secret with the key autounattend.xml or unattend.xml; its other keys are files on the CD too."
        ),
    ] = field(name="secretName")
    """
    A Secret with the key autounattend.xml or unattend.xml; its other keys are files on the CD too.
    """


class DeviceIdentity(Struct):
    """
    PCI ids that the guest sees on its GPUs instead of the real ones, 0x and four hex digits each.
    """

    vendor_id: Annotated[str, Meta(description="PCI vendor id.")] | UnsetType = field(
        name="vendorId", default=UNSET
    )
    """
    PCI vendor id.
    """
    device_id: Annotated[str, Meta(description="PCI device id.")] | UnsetType = field(
        name="deviceId", default=UNSET
    )
    """
    PCI device id.
    """
    sub_vendor_id: (
        Annotated[str, Meta(description="PCI subsystem vendor id.")] | UnsetType
    ) = field(name="subVendorId", default=UNSET)
    """
    PCI subsystem vendor id.
    """
    sub_device_id: (
        Annotated[str, Meta(description="PCI subsystem device id.")] | UnsetType
    ) = field(name="subDeviceId", default=UNSET)
    """
    PCI subsystem device id.
    """


class VirtualMachineSpec(Struct):
    """
    What the machine is. Changes take effect at its next start; RestartRequired says so.
    """

    memory: Annotated[
        Memory, Meta(description="Guest memory.", title="VirtualMachineSpecMemory")
    ]
    """
    Guest memory.
    """
    run_strategy: (
        Annotated[
            Literal["Always", "Halted", "Once", "RerunOnFailure", "Manual"],
            Meta(
                description="Always keeps it running; Halted keeps it off and gives its slices back; Once runs it one time; RerunOnFailure until the guest ends well; Manual as the annotation libvf.io/requested-state says (Running or Stopped). A new value of the annotation libvf.io/restart-requested ends the Pod gracefully and makes it anew."
            ),
        ]
        | UnsetType
    ) = field(name="runStrategy", default="Always")
    """
    Always keeps it running; Halted keeps it off and gives its slices back; Once runs it one time; RerunOnFailure until the guest ends well; Manual as the annotation libvf.io/requested-state says (Running or Stopped). A new value of the annotation libvf.io/restart-requested ends the Pod gracefully and makes it anew.
    """
    cpu: (
        Annotated[
            Cpu,
            Meta(
                description="Virtual CPUs; sockets x cores x threads of them.",
                title="VirtualMachineSpecCpu",
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    Virtual CPUs; sockets x cores x threads of them.
    """
    gpus: (
        Annotated[
            list[Gpu],
            Meta(
                description="Slices of GPUs, each made for this VM from a template, or a GpuPartition by name."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    Slices of GPUs, each made for this VM from a template, or a GpuPartition by name.
    """
    numa: (
        Annotated[
            Numa,
            Meta(
                description="Whether GPU, CPUs and memory are kept on one NUMA node; condition NumaAligned tells whether they are.",
                title="VirtualMachineSpecNuma",
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    Whether GPU, CPUs and memory are kept on one NUMA node; condition NumaAligned tells whether they are.
    """
    firmware: (
        Annotated[
            Firmware,
            Meta(
                description="What the guest's firmware is and says.",
                title="VirtualMachineSpecFirmware",
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    What the guest's firmware is and says.
    """
    state: (
        Annotated[
            State,
            Meta(
                description="The volume that outlives the Pod: UEFI variables, the TPM, and what disks with changes Keep have become.",
                title="VirtualMachineSpecState",
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    The volume that outlives the Pod: UEFI variables, the TPM, and what disks with changes Keep have become.
    """
    termination_grace_period_seconds: (
        Annotated[
            int,
            Meta(description="How long the guest may take to shut down. Default 180."),
        ]
        | UnsetType
    ) = field(name="terminationGracePeriodSeconds", default=UNSET)
    """
    How long the guest may take to shut down. Default 180.
    """
    filesystems: (
        Annotated[
            list[Filesystem],
            Meta(
                description="Folders shared with the guest by virtiofs; it mounts them by their name."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    Folders shared with the guest by virtiofs; it mounts them by their name.
    """
    disks: (
        Annotated[list[Disk], Meta(description="Disks, in boot order.")] | UnsetType
    ) = UNSET
    """
    Disks, in boot order.
    """
    cdroms: (
        Annotated[
            list[Cdrom], Meta(description="CD-ROMs, after the disks in boot order.")
        ]
        | UnsetType
    ) = UNSET
    """
    CD-ROMs, after the disks in boot order.
    """
    install: (
        Annotated[
            Install,
            Meta(
                description="Installs a guest: runs from the CD-ROM with an emulated screen and no GPU until the guest shuts down; from then on Installed is True and the VM runs from its disk, without the CD-ROM. The disk is tried before the CD-ROM, so that it boots at the installer's own reboots. It is done once; another iso, disk or place of the disk is another installation.",
                title="VirtualMachineSpecInstall",
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    Installs a guest: runs from the CD-ROM with an emulated screen and no GPU until the guest shuts down; from then on Installed is True and the VM runs from its disk, without the CD-ROM. The disk is tried before the CD-ROM, so that it boots at the installer's own reboots. It is done once; another iso, disk or place of the disk is another installation.
    """
    guest_tools: (
        Annotated[
            GuestTools,
            Meta(
                description="A CD for the guest, with what is in the folder (drivers, Looking Glass, Scream) and scripts that install it, an ssh key, and a guest that does not fall asleep.",
                title="VirtualMachineSpecGuestTools",
            ),
        ]
        | UnsetType
    ) = field(name="guestTools", default=UNSET)
    """
    A CD for the guest, with what is in the folder (drivers, Looking Glass, Scream) and scripts that install it, an ssh key, and a guest that does not fall asleep.
    """
    graphics: (
        Annotated[
            Graphics,
            Meta(
                description="Whose screen the guest has.",
                title="VirtualMachineSpecGraphics",
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    Whose screen the guest has.
    """
    display: (
        Annotated[
            list[Literal["vnc", "spice", "lookingGlass"]],
            Meta(
                description="Ways to look at the screen. Default: vnc, and none if graphics.mode is Headless."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    Ways to look at the screen. Default: vnc, and none if graphics.mode is Headless.
    """
    looking_glass: (
        Annotated[
            LookingGlass,
            Meta(
                description="The memory that a Looking Glass host in the guest shares its frames through.",
                title="VirtualMachineSpecLookingGlass",
            ),
        ]
        | UnsetType
    ) = field(name="lookingGlass", default=UNSET)
    """
    The memory that a Looking Glass host in the guest shares its frames through.
    """
    audio: (
        Annotated[
            Literal["scream", "spice"], Meta(description="How sound leaves the guest.")
        ]
        | UnsetType
    ) = UNSET
    """
    How sound leaves the guest.
    """
    network: (
        Annotated[
            Network,
            Meta(description="The guest's network.", title="VirtualMachineSpecNetwork"),
        ]
        | UnsetType
    ) = UNSET
    """
    The guest's network.
    """
    nics: (
        Annotated[
            list[Nic],
            Meta(
                description="Virtual functions of network cards that the guest gets for itself, of cards that a GpuPolicy cuts."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    Virtual functions of network cards that the guest gets for itself, of cards that a GpuPolicy cuts.
    """
    usb: (
        Annotated[
            list[UsbItem],
            Meta(
                description="USB devices of the host, of those that LIBVF_USB of its agent names."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    USB devices of the host, of those that LIBVF_USB of its agent names.
    """
    ports: (
        Annotated[
            list[Port],
            Meta(description="Ports of the guest that a Service <vm> carries."),
        ]
        | UnsetType
    ) = UNSET
    """
    Ports of the guest that a Service <vm> carries.
    """
    cloud_init: (
        Annotated[
            CloudInit,
            Meta(
                description="Data for cloud-init in the guest, handed to it as a NoCloud disk: ISO 9660, label cidata.",
                title="VirtualMachineSpecCloudInit",
            ),
        ]
        | UnsetType
    ) = field(name="cloudInit", default=UNSET)
    """
    Data for cloud-init in the guest, handed to it as a NoCloud disk: ISO 9660, label cidata.
    """
    sysprep: (
        Annotated[
            Sysprep,
            Meta(
                description="Answers for Windows setup, handed to it on a CD.",
                title="VirtualMachineSpecSysprep",
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    Answers for Windows setup, handed to it on a CD.
    """
    clock: (
        Annotated[
            Literal["Utc", "LocalTime"],
            Meta(
                description="What the clock of the machine shows: Windows expects LocalTime, all others Utc. Default Utc."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    What the clock of the machine shows: Windows expects LocalTime, all others Utc. Default Utc.
    """
    hide_hypervisor: (
        Annotated[bool, Meta(description="Hide KVM from the guest. Default false.")]
        | UnsetType
    ) = field(name="hideHypervisor", default=UNSET)
    """
    Hide KVM from the guest. Default false.
    """
    device_identity: (
        Annotated[
            DeviceIdentity,
            Meta(
                description="PCI ids that the guest sees on its GPUs instead of the real ones, 0x and four hex digits each.",
                title="VirtualMachineSpecDeviceIdentity",
            ),
        ]
        | UnsetType
    ) = field(name="deviceIdentity", default=UNSET)
    """
    PCI ids that the guest sees on its GPUs instead of the real ones, 0x and four hex digits each.
    """
    extra_arguments: (
        Annotated[
            list[str],
            Meta(
                description='Further QEMU arguments, one option with its value each, such as "-global VGA.vgamem_mb=64" or "-set device.hostdev0.x-pci-device-id=0x1b30" (hostdev0 is the first function of the first GPU). Only what opens no file, socket, device or program is allowed.'
            ),
        ]
        | UnsetType
    ) = field(name="extraArguments", default=UNSET)
    """
    Further QEMU arguments, one option with its value each, such as "-global VGA.vgamem_mb=64" or "-set device.hostdev0.x-pci-device-id=0x1b30" (hostdev0 is the first function of the first GPU). Only what opens no file, socket, device or program is allowed.
    """


class MemoryItem(Struct):
    node: Annotated[int, Meta(description="A NUMA node.")]
    """
    A NUMA node.
    """
    size: Annotated[str, Meta(description="How much is there, a quantity.")]
    """
    How much is there, a quantity.
    """


class Numa1(Struct):
    """
    What it has of a NUMA node, and what was read of its QEMU in /proc; absent where it has no cell.
    """

    node: (
        Annotated[int, Meta(description="The NUMA node that it is held to.")]
        | UnsetType
    ) = UNSET
    """
    The NUMA node that it is held to.
    """
    cpus: (
        Annotated[
            str, Meta(description="The CPUs of its virtual CPUs, such as 4-7,12.")
        ]
        | UnsetType
    ) = UNSET
    """
    The CPUs of its virtual CPUs, such as 4-7,12.
    """
    shared_cpus: (
        Annotated[
            str,
            Meta(
                description="The CPUs of all else that QEMU does, shared with the host."
            ),
        ]
        | UnsetType
    ) = field(name="sharedCpus", default=UNSET)
    """
    The CPUs of all else that QEMU does, shared with the host.
    """
    pinned: (
        Annotated[
            list[str],
            Meta(description="The CPUs that each virtual CPU may run on, as read."),
        ]
        | UnsetType
    ) = UNSET
    """
    The CPUs that each virtual CPU may run on, as read.
    """
    memory: (
        Annotated[
            list[MemoryItem],
            Meta(description="Where the memory is that QEMU has touched, as read."),
        ]
        | UnsetType
    ) = UNSET
    """
    Where the memory is that QEMU has touched, as read.
    """


class LastRun(Struct):
    """
    How its last run ended.
    """

    reason: Annotated[
        str,
        Meta(
            description="Why, in one CamelCase word, such as Stopped, GuestShutdown, Killed or QemuExited."
        ),
    ]
    """
    Why, in one CamelCase word, such as Stopped, GuestShutdown, Killed or QemuExited.
    """
    message: Annotated[str, Meta(description="Why, for people.")]
    """
    Why, for people.
    """
    finished_at: Annotated[str, Meta(description="When it ended.")] | UnsetType = field(
        name="finishedAt", default=UNSET
    )
    """
    When it ended.
    """


class Guest(Struct):
    """
    What is known of the guest.
    """

    started_at: (
        Annotated[str, Meta(description="When QEMU was started.")] | UnsetType
    ) = field(name="startedAt", default=UNSET)
    """
    When QEMU was started.
    """
    restarts: (
        Annotated[
            int, Meta(description="How often the launcher was restarted in its Pod.")
        ]
        | UnsetType
    ) = UNSET
    """
    How often the launcher was restarted in its Pod.
    """
    os: (
        Annotated[
            str, Meta(description="Its operating system, as the guest agent says.")
        ]
        | UnsetType
    ) = UNSET
    """
    Its operating system, as the guest agent says.
    """
    hostname: (
        Annotated[str, Meta(description="Its name, as the guest agent says.")]
        | UnsetType
    ) = UNSET
    """
    Its name, as the guest agent says.
    """
    addresses: (
        Annotated[
            list[str],
            Meta(description="Its network addresses, as the guest agent says."),
        ]
        | UnsetType
    ) = UNSET
    """
    Its network addresses, as the guest agent says.
    """


class Installed(Struct):
    """
    What spec.install has installed last, so that it is not done again.
    """

    iso: Annotated[str, Meta(description="The CD-ROM it came from.")]
    """
    The CD-ROM it came from.
    """
    disk: Annotated[str, Meta(description="The disk it went to.")]
    """
    The disk it went to.
    """
    place: Annotated[str, Meta(description="Where that disk is.")]
    """
    Where that disk is.
    """


class Partition(Struct):
    gpu: Annotated[str, Meta(description="The name in spec.gpus.")]
    """
    The name in spec.gpus.
    """
    name: Annotated[str, Meta(description="The GpuPartition.")]
    """
    The GpuPartition.
    """


class Port1(Struct):
    name: Annotated[str, Meta(description="The name in spec.ports.")]
    """
    The name in spec.ports.
    """
    port: Annotated[int, Meta(description="The port of the Service.")]
    """
    The port of the Service.
    """
    protocol: Annotated[str, Meta(description="TCP or UDP.")] | UnsetType = UNSET
    """
    TCP or UDP.
    """
    node_port: (
        Annotated[
            int, Meta(description="The port of every node, where the Service has one.")
        ]
        | UnsetType
    ) = field(name="nodePort", default=UNSET)
    """
    The port of every node, where the Service has one.
    """


class Service(Struct):
    """
    Where the ports of the guest are reached.
    """

    name: Annotated[str, Meta(description="The Service.")]
    """
    The Service.
    """
    host: (
        Annotated[str, Meta(description="Its name within the cluster.")] | UnsetType
    ) = UNSET
    """
    Its name within the cluster.
    """
    addresses: (
        Annotated[
            list[str], Meta(description="Its addresses, those of a load balancer last.")
        ]
        | UnsetType
    ) = UNSET
    """
    Its addresses, those of a load balancer last.
    """
    ports: Annotated[list[Port1], Meta(description="Its ports.")] | UnsetType = UNSET
    """
    Its ports.
    """


class Display(Struct):
    type: Annotated[str, Meta(description="The protocol.")]
    """
    The protocol.
    """
    socket: (
        Annotated[str, Meta(description="The unix socket in the launcher.")] | UnsetType
    ) = UNSET
    """
    The unix socket in the launcher.
    """
    file: (
        Annotated[str, Meta(description="The file of shared memory in the launcher.")]
        | UnsetType
    ) = UNSET
    """
    The file of shared memory in the launcher.
    """


class VirtualMachineStatus(Struct):
    """
    What was observed. Written by the operator only.
    """

    observed_generation: (
        Annotated[
            int,
            Meta(description="The generation of the spec that this status speaks of."),
        ]
        | UnsetType
    ) = field(name="observedGeneration", default=UNSET)
    """
    The generation of the spec that this status speaks of.
    """
    ready: Annotated[bool, Meta(description="Whether the guest runs.")] | UnsetType = (
        UNSET
    )
    """
    Whether the guest runs.
    """
    node: Annotated[str, Meta(description="The node it runs on.")] | UnsetType = UNSET
    """
    The node it runs on.
    """
    pod_name: Annotated[str, Meta(description="The launcher Pod.")] | UnsetType = field(
        name="podName", default=UNSET
    )
    """
    The launcher Pod.
    """
    last_restart: (
        Annotated[
            str,
            Meta(
                description="The annotation libvf.io/restart-requested that was carried out last."
            ),
        ]
        | UnsetType
    ) = field(name="lastRestart", default=UNSET)
    """
    The annotation libvf.io/restart-requested that was carried out last.
    """
    gpu: (
        Annotated[
            str, Meta(description="Its slices in short, such as mdpy-xga on mdpy.")
        ]
        | UnsetType
    ) = UNSET
    """
    Its slices in short, such as mdpy-xga on mdpy.
    """
    numa: (
        Annotated[
            Numa1,
            Meta(
                description="What it has of a NUMA node, and what was read of its QEMU in /proc; absent where it has no cell.",
                title="VirtualMachineStatusNuma",
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    What it has of a NUMA node, and what was read of its QEMU in /proc; absent where it has no cell.
    """
    last_run: (
        Annotated[
            LastRun,
            Meta(
                description="How its last run ended.",
                title="VirtualMachineStatusLastRun",
            ),
        ]
        | UnsetType
    ) = field(name="lastRun", default=UNSET)
    """
    How its last run ended.
    """
    guest: (
        Annotated[
            Guest,
            Meta(
                description="What is known of the guest.",
                title="VirtualMachineStatusGuest",
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    What is known of the guest.
    """
    installed: (
        Annotated[
            Installed,
            Meta(
                description="What spec.install has installed last, so that it is not done again.",
                title="VirtualMachineStatusInstalled",
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    What spec.install has installed last, so that it is not done again.
    """
    partitions: (
        Annotated[list[Partition], Meta(description="The GpuPartitions it uses.")]
        | UnsetType
    ) = UNSET
    """
    The GpuPartitions it uses.
    """
    vsock_cid: (
        Annotated[
            int,
            Meta(
                description="The number by which processes of its node reach the guest's vsock."
            ),
        ]
        | UnsetType
    ) = field(name="vsockCid", default=UNSET)
    """
    The number by which processes of its node reach the guest's vsock.
    """
    service: (
        Annotated[
            Service,
            Meta(
                description="Where the ports of the guest are reached.",
                title="VirtualMachineStatusService",
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    Where the ports of the guest are reached.
    """
    displays: (
        Annotated[list[Display], Meta(description="Where the screen can be seen.")]
        | UnsetType
    ) = UNSET
    """
    Where the screen can be seen.
    """
    conditions: (
        Annotated[
            list[Condition],
            Meta(
                description="Ready, Reconciling and Stalled sum up (kstatus); Scheduled, GpuPrepared, HardwareAccelerated and GuestRunning tell how far it is, DevicesPrepared and PortsExposed too where the spec asks for such; Installed whether spec.install is done; RestartRequired that the spec has changed since the start."
            ),
        ]
        | UnsetType
    ) = UNSET
    """
    Ready, Reconciling and Stalled sum up (kstatus); Scheduled, GpuPrepared, HardwareAccelerated and GuestRunning tell how far it is, DevicesPrepared and PortsExposed too where the spec asks for such; Installed whether spec.install is done; RestartRequired that the spec has changed since the start.
    """
