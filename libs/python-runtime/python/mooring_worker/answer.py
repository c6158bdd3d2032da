"""What goes back for one call, and how a script's return value becomes it."""

import json
from typing import Any, List, Optional, Tuple

UNEXPECTED = "An unexpected error occurred in scoring script. Check the logs for more info."
JSON_TYPE = "application/json"


_PLAIN_HEADERS = [("x-ms-run-function-failed", "False")]


class Answer:
    """Status, headers and body. `reason` is set when it is a failure that the platform names itself."""

    __slots__ = ("status", "body", "content_type", "headers", "reason", "message", "times")

    def __init__(
        self,
        status: int,
        body: bytes,
        content_type: str = JSON_TYPE,
        headers: Optional[List[Tuple[str, str]]] = None,
        reason: str = "",
        message: str = "",
    ) -> None:
        self.status = status
        self.body = body
        self.content_type = content_type
        self.headers = headers if headers is not None else _PLAIN_HEADERS
        self.reason = reason
        self.message = message
        # Preprocessing, run(), postprocessing, in microseconds.
        self.times = (0, 0, 0)

    def meta(self) -> bytes:
        """What goes beside status and body; nothing for the answer that nearly every script gives."""
        if self.headers is _PLAIN_HEADERS and self.content_type is JSON_TYPE and not self.reason:
            return b""
        said = {"contentType": self.content_type, "headers": self.headers, "reason": self.reason, "message": self.message}
        return json.dumps(said).encode()


class Failure(Exception):
    """Ends a call: `status` is what Azure's inference server answers, `reason` is stable for tools."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason

    def answer(self) -> Answer:
        body = json.dumps({"message": str(self)}).encode()
        failed = "True" if self.status >= 500 else "False"
        return Answer(self.status, body, JSON_TYPE, [("x-ms-run-function-failed", failed)], self.reason, str(self))

    @staticmethod
    def too_large(size: int, limit: int) -> Answer:
        message = (
            f"run() returned {size} bytes and this deployment allows {limit}: return less, "
            "or raise the property mooring.max-response-bytes"
        )
        return Failure(500, "RESPONSE_TOO_LARGE", message).answer()


def to_answer(result: Any) -> Answer:
    """A script's return value as an answer. Raises Failure when it cannot be one."""
    if type(result) not in _JSON_KINDS and _is_response(result):
        return _from_response(result)
    return Answer(200, encode({} if result is None else result))


def encode(result: Any) -> bytes:
    """Valid JSON in UTF-8, or a Failure that names what cannot be JSON."""
    try:
        text = _ENCODER.encode(result)
    except (_NotJson, RecursionError, TypeError, ValueError) as error:
        raise Failure(500, "RESULT_NOT_JSON", f"run() returned {_problem(type_name(result), error)}") from None
    try:
        return text.encode()
    except UnicodeEncodeError:
        # A lone surrogate: UTF-8 cannot hold it, JSON's \\ud800 can, which is what Azure's server sends.
        return json.dumps(result, allow_nan=False, default=_refuse).encode()


def _problem(kind: str, error: Exception) -> str:
    if isinstance(error, _NotJson):
        where = "" if type_name(error.value) == kind else f" with a {type_name(error.value)} in it"
        return f"a {kind}{where}, which JSON cannot hold{_advice(error.value)}"
    if isinstance(error, RecursionError):
        return f"a {kind} that is nested too deeply for JSON"
    text = str(error)
    if "Circular" in text:
        return f"a {kind} that contains itself, which JSON cannot hold"
    if "Out of range float" in text:
        return f"a {kind} with NaN or Infinity in it, which JSON cannot hold: replace them, for example by None"
    return f"a {kind} that JSON cannot hold: {text}"


class _NotJson(Exception):
    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


def _refuse(value: Any) -> Any:
    raise _NotJson(value)


# json.dumps with arguments makes one for each call.
_ENCODER = json.JSONEncoder(allow_nan=False, ensure_ascii=False, default=_refuse)
_JSON_KINDS = frozenset((dict, list, tuple, str, int, float, bool, type(None)))


def _advice(value: Any) -> str:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return ": return AMLResponse for binary answers, or base64 text"
    if hasattr(value, "tolist"):
        return ": call .tolist() on it"
    if hasattr(value, "to_dict"):
        return ": call .to_dict() on it"
    if hasattr(value, "__next__") or isinstance(value, (set, frozenset)):
        return ": make it a list"
    return ": return dict, list, str, int, float, bool or None, or AMLResponse"


def type_name(value: Any) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ in ("builtins", "entry_module") else f"{kind.__module__}.{kind.__qualname__}"


def _is_response(result: Any) -> bool:
    # By its shape, so that a Flask response from a package in the user's environment is sent as it is, too.
    return all(hasattr(result, name) for name in ("status_code", "headers", "get_data"))


def _from_response(response: Any) -> Answer:
    content_type = ""
    headers: List[Tuple[str, str]] = []
    failed = "True" if response.status_code >= 500 else "False"
    for name, value in response.headers.items():
        lower = str(name).lower()
        if lower == "content-type":
            content_type = str(value)
        elif lower == "x-ms-run-function-failed":
            failed = "True" if response.status_code >= 500 or str(value) == "True" else "False"
        elif lower not in ("content-length", "connection", "transfer-encoding"):
            headers.append((str(name), _one_line(str(value))))
    headers.append(("x-ms-run-function-failed", failed))
    return Answer(min(max(int(response.status_code), 0), 0xFFFF), bytes(response.get_data()), _one_line(content_type), headers)


def _one_line(value: str) -> str:
    return value.replace("\r", " ").replace("\n", " ")
