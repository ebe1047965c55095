"""What tests run on, by their names: what shares a lab or a server is run by one worker, in one go."""

from xdist.scheduler import LoadScopeScheduling

LAB = "the lab"
_OWN_MACHINES = ("tests/e2e/test_prepare.py", "tests/e2e/test_workstation.py")


class Scheduling(LoadScopeScheduling):
    """Hands each ground to one worker."""

    def _split_scope(self, nodeid: str) -> str:
        return ground(nodeid)


def ground(nodeid: str) -> str:
    """The lab, the API server of the integration tests, or what needs neither: the file alone."""
    file, _, test = nodeid.partition("::")
    if file in _OWN_MACHINES:
        return file
    if file.startswith("tests/e2e/") or (file.startswith("tests/contract/") and test.endswith("[real]")):
        return LAB
    return "tests/integration" if file.startswith("tests/integration/") else file
