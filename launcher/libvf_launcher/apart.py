"""Work in a child process, so that what it imports and makes is not kept for as long as the VM runs.

The launcher imports what it keeps meanwhile, so that both are ready sooner than one after the other.
"""

import os
import pickle
import sys
import traceback
from collections.abc import Callable
from typing import Generic, TypeVar

from libvf_launcher.errors import LaunchError

T = TypeVar("T")


class Apart(Generic[T]):
    """Work that goes on; its result comes through a pipe."""

    def __init__(self, pid: int, answer: int) -> None:
        self._pid = pid
        self._answer = answer

    async def result(self) -> T:
        """What it came to; raises the LaunchError that it raised, RuntimeError where it ended otherwise."""
        import asyncio  # only here: the child does without

        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(self._answer, "rb")
        )
        told = await reader.read()
        transport.close()
        os.waitpid(self._pid, 0)  # noqa: ASYNC222  # it has answered, and ends at once
        if not told:
            raise RuntimeError("the machine was not prepared, for the reason above")
        answer: T | LaunchError = pickle.loads(told)
        if isinstance(answer, LaunchError):
            raise answer
        return answer


def begin(work: Callable[[], T]) -> Apart[T]:
    """Do it in a child of this process, which has one thread by now: others would not be there in the child."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os._exit(_worked(work, writing))
    os.close(writing)
    return Apart(pid, reading)


def _worked(work: Callable[[], T], answer: int) -> int:
    try:
        found: T | LaunchError = work()
    except LaunchError as error:
        found = error
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
    with open(answer, "wb") as pipe:
        pickle.dump(found, pipe)
    return 0
