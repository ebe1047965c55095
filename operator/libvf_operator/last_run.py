"""How a machine's last run ended: kept in its status, as the Pod that said so is soon gone. Pure."""

from libvf_api.termination import parse

from libvf_operator import pod as pods
from libvf_operator.objects import Object

ENDED_BY_FORCE = ("Killed", "QemuExited")


def last_run(machine: Object, pod: Object | None) -> Object | None:
    """The end that the Pod tells of, else the one that was known before; None where there was none yet."""
    launcher = pods.launcher(pod or {})
    states = (launcher.get("state") or {}, launcher.get("lastState") or {})
    ended = next((state["terminated"] for state in states if state.get("terminated")), None)
    known: Object | None = (machine.get("status") or {}).get("lastRun")
    return _told(ended) if ended else known


def event(before: Object, after: Object) -> tuple[str, str, str] | None:
    """Type, reason and words of the Event for a run that has ended since; None where none has."""
    run = after.get("lastRun")
    if not run or run == (before.get("status") or {}).get("lastRun"):
        return None
    return "Warning" if run["reason"] in ENDED_BY_FORCE else "Normal", run["reason"], run["message"]


def _told(ended: Object) -> Object:
    told = parse(ended.get("message") or "")
    reason = told.reason if told else ended.get("reason") or "Unknown"
    words = told.message if told else ended.get("message") or f"the launcher ended with {ended.get('exitCode')}"
    at = {"finishedAt": ended["finishedAt"]} if ended.get("finishedAt") else {}
    return {"reason": reason, "message": words[:1024], **at}
