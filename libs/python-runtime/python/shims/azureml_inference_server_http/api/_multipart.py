"""multipart/form-data, byte for byte: parts are split at the boundary and never re-encoded."""

import io
import re
from typing import Iterator, List, Optional, Tuple


class UploadedFile:
    """One file of a form, with the methods that scripts use on an uploaded file."""

    def __init__(self, name: str, filename: str, content_type: str, data: bytes) -> None:
        self.name = name
        self.filename = filename
        self.content_type = self.mimetype = content_type
        self.content_length = len(data)
        self.stream = io.BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        return self.stream.read(size)

    def readline(self, size: int = -1) -> bytes:
        return self.stream.readline(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.stream.seek(offset, whence)

    def tell(self) -> int:
        return self.stream.tell()

    def save(self, target) -> None:  # type: ignore[no-untyped-def]
        """Writes the file to a path or to an open binary file."""
        if hasattr(target, "write"):
            target.write(self.stream.getvalue())
            return
        with open(target, "wb") as file:
            file.write(self.stream.getvalue())

    def close(self) -> None:
        self.stream.close()

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.stream)


def parse(content_type: str, body: bytes) -> Tuple[List[Tuple[str, str]], List[Tuple[str, UploadedFile]]]:
    """(fields, files) in the form's order. Parts that cannot be read are left out."""
    boundary = parameter(content_type, "boundary")
    if not boundary:
        return [], []
    fields: List[Tuple[str, str]] = []
    files: List[Tuple[str, UploadedFile]] = []
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary.encode())[1:]:
        if part.startswith(b"--"):
            break
        head, separator, data = part.lstrip(b" \t").partition(b"\r\n\r\n")
        if not separator:
            continue
        headers = _headers(head)
        disposition = headers.get("content-disposition", "")
        name = parameter(disposition, "name") or ""
        filename = parameter(disposition, "filename")
        if filename is None:
            fields.append((name, data.decode("utf-8", "replace")))
        else:
            files.append((name, UploadedFile(name, filename, headers.get("content-type", ""), data)))
    return fields, files


def _headers(head: bytes) -> dict:
    lines = head.decode("utf-8", "replace").strip().split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def parameter(header: str, name: str) -> Optional[str]:
    """`form-data; name="a"` and `name` -> `a`; None when the header has no such parameter."""
    found = re.search(r";\s*" + re.escape(name) + r'\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))', header, re.IGNORECASE)
    if found is None:
        return None
    quoted, plain = found.groups()
    return re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else plain
