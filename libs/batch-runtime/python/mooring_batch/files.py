"""The files of a mini-batch: which are still what was listed, and which of them the results name."""

import os
import stat
from typing import Any, Dict, List, Optional, Tuple

# Comparisons of a result with a name that are made at most to find out which file has none.
_COMPARISONS_MAX = 1_000_000


def check(file: Dict[str, Any]) -> Optional[Tuple[str, str]]:
    """Reason and message when the file cannot be given to the script; None when it can."""
    listed = file.get("problem")
    if listed is not None:
        return listed["reason"], listed["message"]
    path = file["localPath"]
    try:
        found = os.stat(path)
    except (OSError, ValueError) as error:
        missing = isinstance(error, FileNotFoundError)
        what = "is gone since it was listed" if missing else f"cannot be looked at: {_words(error)}"
        return ("FileChanged" if missing else "FileUnreadable"), f"{file['path']} {what}"
    if not stat.S_ISREG(found.st_mode):
        return "FileUnreadable", f"{file['path']} is no plain file"
    if found.st_size != file["bytes"]:
        return "FileChanged", f"{file['path']} has {found.st_size} bytes and had {file['bytes']} when it was listed"
    if abs(found.st_mtime_ns // 1_000_000 - file["modifiedMs"]) > 1:
        return "FileChanged", f"{file['path']} was written since it was listed"
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
    except OSError as error:
        return "FileUnreadable", f"{file['path']} cannot be read: {_words(error)}"
    return None


def unnamed(files: List[Dict[str, Any]], results: List[str]) -> Optional[List[int]]:
    """
    Which of the files no result names, by their place; None when that is not clear: each result must name exactly one file, by its
    name or its path, and no two the same.
    """
    names = [os.path.basename(file["localPath"]) for file in files]
    if len(set(names)) < len(names) or len(files) * len(results) > _COMPARISONS_MAX:
        return None
    named = set()
    for result in results:
        found = [place for place, name in enumerate(names) if _holds(result, name)]
        if len(found) != 1 or found[0] in named:
            return None
        named.add(found[0])
    return [place for place in range(len(files)) if place not in named]


def _holds(text: str, name: str) -> bool:
    """Whether the name stands in the text by itself: 1.png does not in 11.png, nor in 1.png.bak."""
    at = text.find(name)
    while at >= 0:
        end = at + len(name)
        before = text[at - 1 : at]
        after = text[end : end + 2]
        if not _inside(before) and not _inside(after[:1]) and not (after[:1] == "." and _inside(after[1:])):
            return True
        at = text.find(name, at + 1)
    return False


def _inside(character: str) -> bool:
    return character.isalnum() or character in ("-", "_") if character else False


def _words(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
