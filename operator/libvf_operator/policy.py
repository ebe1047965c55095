"""A GpuPolicy's status, summed up from what the agents of all nodes say of it. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from libvf_api import names
from libvf_api.policy_report import BadReport, CardReport, PolicyReport, Reason, decode

from libvf_operator.objects import Object, condition
from libvf_operator.status import Conditions

FRESH = 2.0  # seconds: how old a look at what nodes say may be
_WAITING, _SETTLED = 10.0, 30.0  # seconds

MOST_NODES = 128
MOST_CARDS = 400  # of all nodes: an object is best kept far below etcd's 1.5 MB
_TOLD = 4

_NEEDS_SOMEBODY = (Reason.NOT_UNDERSTOOD, Reason.CONFLICTING, Reason.OTHER_COUNT)

Users = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class NodeReport:
    """What one node's agent says; `fault` where it is not understood."""

    node: str
    policies: tuple[PolicyReport, ...] = ()
    fault: str = ""


def reports(slices: Iterable[Object]) -> list[NodeReport]:
    """The reports that ResourceSlices of ours carry, by node."""
    found = []
    for piece in slices:
        text = (piece["metadata"].get("annotations") or {}).get(names.REPORT_ANNOTATION)
        if piece["spec"].get("driver") == names.DRIVER and text is not None:
            node = piece["spec"]["nodeName"]
            try:
                found.append(NodeReport(node, decode(text)))
            except BadReport as error:
                found.append(NodeReport(node, fault=str(error)))
    return sorted(found, key=lambda report: report.node)


@dataclass(frozen=True, slots=True)
class _Card:
    """One card of one node."""

    node: str
    card: CardReport

    def __str__(self) -> str:
        return f"{self.card.name} on {self.node}"

    @property
    def told(self) -> str:
        """With what there is to say of it."""
        return f"{self}: {self.card.message}"


@dataclass(frozen=True, slots=True)
class _Sum:
    """All reports: the cards, the nodes that have not read this generation, and what cannot be read."""

    cards: list[_Card]
    nodes: int
    behind: list[str]
    faults: list[str]

    def of(self, reason: Reason) -> list[_Card]:
        """The cards of which that is said."""
        return [one for one in self.cards if one.card.reason is reason]


@dataclass(frozen=True, slots=True)
class _Verdict:
    """Ready, and else whether somebody must act; `reason` in one word, `words` with the cure."""

    ready: bool
    stalled: bool
    reason: str
    words: str


def status(policy: Object, told: list[NodeReport], user: Users) -> Object:
    """The whole status; `user` names who uses a claim (namespace/name)."""
    of_nodes = [(report.node, _of(policy, report)) for report in told]
    found = _Sum(
        cards=[_Card(node, card) for node, found in of_nodes if found for card in found.cards],
        nodes=len(told),
        behind=[node for node, found in of_nodes if found is None],
        faults=[f"{report.node}: {report.fault}" for report in told if report.fault],
    )
    return {
        "observedGeneration": policy["metadata"]["generation"],
        "selectedCards": len(found.cards),
        "effectiveCards": sum(one.card.effective for one in found.cards),
        "nodes": _nodes(found.cards),
        "conditions": _conditions(policy, found, user),
    }


def look_again(status: Object) -> float:
    """After how many seconds to look again at what nodes say, as that comes without an event."""
    told = condition({"status": status}, "Ready")
    if told["reason"] in ("Progressing", "NoAgent"):
        return FRESH
    return _SETTLED if told["status"] == "True" else _WAITING


def _of(policy: Object, report: NodeReport) -> PolicyReport | None:
    """What the node says of this very generation; None where it has not read it yet."""
    meta = policy["metadata"]
    same = (meta["name"], meta["uid"], meta["generation"])
    return next((one for one in report.policies if (one.name, one.uid, one.generation) == same), None)


def _conditions(policy: Object, found: _Sum, user: Users) -> list[Object]:
    """In the words of kstatus."""
    verdict, rivals = _verdict(found, user), found.of(Reason.CONFLICTING)
    reconciling = not verdict.ready and not verdict.stalled
    conditions = Conditions(policy)
    conditions.set("Ready", verdict.ready, verdict.reason, verdict.words)
    conditions.set("Stalled", verdict.stalled, verdict.reason, verdict.words if verdict.stalled else "")
    conditions.set("Reconciling", reconciling, verdict.reason, verdict.words if reconciling else "")
    conflict = "Conflicting" if rivals else "NoConflict"
    conditions.set("Conflicting", bool(rivals), conflict, _few([one.told for one in rivals]))
    return conditions.listed()


def _verdict(found: _Sum, user: Users) -> _Verdict:
    """What needs somebody is told before what only needs time."""
    for reason in _NEEDS_SOMEBODY:
        if blocked := found.of(reason):
            return _Verdict(False, True, reason.value, _few([one.told for one in blocked]))
    if found.faults:
        return _Verdict(False, True, "BadReport", _few(found.faults))
    if not found.nodes:
        return _Verdict(False, False, "NoAgent", "no agent has said anything yet: does the DaemonSet libvf-agent run?")
    if found.behind:
        words = f"{found.nodes - len(found.behind)} of {found.nodes} nodes have read it; not yet {_few(found.behind)}"
        return _Verdict(False, False, "Progressing", words)
    if waiting := found.of(Reason.WAITING):
        words = _few([one.card.message + _users(one.card, user) for one in waiting])
        return _Verdict(False, False, Reason.WAITING.value, words)
    return _success(found)


def _success(found: _Sum) -> _Verdict:
    if not found.cards:
        words = f"no card of {found.nodes} nodes is selected: kubectl vf gpus lists them"
        return _Verdict(True, False, "NoCards", words)
    won = [one for one in found.cards if one.card.effective]
    if not won:
        return _Verdict(True, False, Reason.SHADOWED.value, _few([one.told for one in found.cards]))
    nodes = len({one.node for one in won})
    told = [f"in force on {len(won)} of {len(found.cards)} cards, on {nodes} of {found.nodes} nodes"]
    told += [one.told for one in won if one.card.message][:_TOLD]
    return _Verdict(True, False, Reason.IN_FORCE.value, "; ".join(told))


def _users(card: CardReport, user: Users) -> str:
    told = [f"{claim} is used by {who}" for claim in card.claims if (who := user(claim))]
    return f" ({_few(told)})" if told else ""


def _few(words: list[str]) -> str:
    more = f"; and {len(words) - _TOLD} more" if len(words) > _TOLD else ""
    return "; ".join(words[:_TOLD]) + more


def _nodes(cards: list[_Card]) -> list[Object]:
    """Nodes by name, as many as a status should hold; those with a card where it is not in force before others."""
    by_node: dict[str, list[CardReport]] = {}
    for one in cards:
        by_node.setdefault(one.node, []).append(one.card)
    order = sorted(by_node, key=lambda node: (all(card.effective for card in by_node[node]), node))
    kept, room = [], MOST_CARDS
    for node in order[:MOST_NODES]:
        if room <= 0:
            break
        kept.append(node)
        room -= len(by_node[node])
    return [{"name": node, "cards": [_card(card) for card in by_node[node]]} for node in sorted(kept)]


def _card(card: CardReport) -> Object:
    told = {"message": card.message} if card.message else {}
    return {"name": card.name, "effective": card.effective, "reason": card.reason.value, **told}
