"""A call as the object that a `@rawhttp` script gets, and as the inputs that other scripts get."""

import json
from typing import Any, Dict

from azureml_inference_server_http.api.aml_request import AMLRequest

from mooring_worker.answer import JSON_TYPE, Failure
from mooring_worker.channel import POST


class Call:
    """One call as it came: what is not needed to answer it is never decoded. Without meta it is plain JSON."""

    __slots__ = ("number", "is_post", "meta", "body")

    def __init__(self, number: int, flags: int, meta: bytes, body: bytes) -> None:
        self.number = number
        self.is_post = flags & POST
        self.meta = meta
        self.body = body

    def request(self) -> AMLRequest:
        if not self.meta:
            return AMLRequest(content_type=JSON_TYPE, body=self.body)
        meta = json.loads(self.meta)
        return AMLRequest(
            method=meta["method"],
            path="/score",
            query=meta["query"],
            headers=[(name, value) for name, value in meta["headers"]],
            content_type=meta["contentType"],
            body=self.body,
        )


def raw_text(call: Call) -> str:
    """What an undecorated `run` gets: the body as text, or a GET's query as the text of a JSON object."""
    if not call.is_post:
        request = call.request()
        if request.method == "GET":
            return json.dumps(query_object(request))
        _only_post(request)
    try:
        return str(call.body, "utf-8")
    except UnicodeDecodeError as error:
        raise Failure(400, "BODY_NOT_UTF8", f"Input cannot be decoded as UTF-8: {error}") from None


def json_object(request: AMLRequest) -> Dict[str, Any]:
    """What a decorated `run` is unpacked from: a JSON object out of the body or out of a GET's query."""
    if request.method == "GET":
        return query_object(request)
    _only_post(request)
    if request.mimetype and not request.is_json:
        raise Failure(415, "CONTENT_TYPE_NOT_JSON", "Expects Content-Type to be application/json")
    if not request.data:
        raise Failure(400, "BODY_NOT_JSON", "POST body is empty. Expecting a JSON dictionary.")
    try:
        value = json.loads(request.data)
    except (ValueError, RecursionError) as error:
        raise Failure(400, "BODY_NOT_JSON", f"POST body could not be decoded as JSON: {error}") from None
    if not isinstance(value, dict):
        raise Failure(400, "BODY_NOT_JSON", "POST body should be a JSON dictionary.")
    return value


def query_object(request: AMLRequest) -> Dict[str, Any]:
    """`a=1&b=[1,2]&c=x&c=y` -> {"a": 1, "b": [1, 2], "c": ["x", "y"]}: each value is JSON where it can be, else text."""
    found = {}
    for name, values in request.args.lists():
        parsed = [_json_or_text(value) for value in values]
        found[name] = parsed[0] if len(parsed) == 1 else parsed
    return found


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _only_post(request: AMLRequest) -> None:
    if request.method != "POST":
        raise Failure(405, "METHOD_NOT_ALLOWED", "Method not allowed")
