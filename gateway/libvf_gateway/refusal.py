"""What is answered where something cannot be done, in the API server's own form."""

from typing import Any

_REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    429: "TooManyRequests",
    500: "InternalError",
    502: "BadGateway",
    503: "ServiceUnavailable",
}


class Refusal(Exception):
    """An answer other than the wished one; `status` is its HTTP code, the words say what, where and the cure."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

    @property
    def document(self) -> dict[str, Any]:
        """As kubectl shows it: `Error from server (Conflict): ...`."""
        return status(self.status, _REASONS[self.status], str(self))


def status(code: int, reason: str, message: str) -> dict[str, Any]:
    """A Status object of meta/v1."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success" if code < 400 else "Failure",
        "message": message,
        **({"reason": reason} if reason else {}),
        "code": code,
    }
