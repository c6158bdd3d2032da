"""Importing a user's script and calling its `init`."""

import importlib.util
import os
import sys
import traceback
from types import ModuleType
from typing import Any, Callable

_MODULE = "entry_module"
# Frames of files below these say nothing to a script's author.
hidden_folders = [os.path.dirname(os.path.abspath(__file__)), "<frozen importlib"]


class LoadFailure(Exception):
    """The script cannot be served. `code` is one of Azure's; `detail` is for the log only."""

    def __init__(self, code: str, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.detail = detail


def set_path(code_dir: str, script_dir: str) -> None:
    del sys.path[0]  # the folder of this package, which is loaded by now
    shims = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "shims")
    sys.path[:] = [path for path in sys.path if path != shims]
    sys.path[:0] = [script_dir, *([] if script_dir == code_dir else [code_dir]), shims]


def import_script(path: str) -> ModuleType:
    module_spec = importlib.util.spec_from_file_location(_MODULE, path)
    if module_spec is None or module_spec.loader is None or not os.path.isfile(path):
        raise LoadFailure("UserScriptImportError", f"there is no Python file {path}")
    module = importlib.util.module_from_spec(module_spec)
    sys.modules[_MODULE] = module  # dataclasses and pickle look their module up
    try:
        module_spec.loader.exec_module(module)
    except BaseException as error:
        raise LoadFailure("UserScriptImportError", _import_problem(error, path), script_traceback(error)) from None
    return module


def _import_problem(error: BaseException, path: str) -> str:
    name = os.path.basename(path)
    if isinstance(error, SyntaxError):
        where = os.path.basename(error.filename or path)
        return f"{where} has a syntax error in line {error.lineno}: {error.msg}"
    if isinstance(error, ModuleNotFoundError):
        return f"{name} could not be imported: {error}; add the package to the environment's conda file, or the module to the code folder"
    return f"{name} could not be imported: {short(error)}"


def call_init(init: Callable[[], Any]) -> None:
    try:
        init()
    except BaseException as error:
        raise LoadFailure("UserScriptInitFailed", f"init() raised {short(error)}", script_traceback(error)) from None


def short(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # a script's exception may say of itself what it likes
        text = ""
    return f"{type(error).__name__}: {text[:2000]}" if text else type(error).__name__


def script_traceback(error: BaseException) -> str:
    """The traceback without the frames of this package and of the import system."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(tuple(hidden_folders)):
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(error), error, trace)).rstrip()
