"""What `run()` returned, as lines of text."""

import csv
import io
from typing import Any, Iterator, List, Tuple

from mooring_worker.answer import type_name


class WrongResult(Exception):
    """The script returned what the contract does not allow."""


def lines_of(result: Any) -> Tuple[int, Iterator[str]]:
    """How many elements there are, and each as one line. Raises WrongResult."""
    if _is_frame(result):
        return len(result), _frame_lines(result)
    return _listed(_elements(result))


def _listed(elements: List[Any]) -> Tuple[int, Iterator[str]]:
    return len(elements), (one_line(str(element)) for element in elements)


def _elements(result: Any) -> List[Any]:
    if isinstance(result, (list, tuple)):
        return list(result)
    if hasattr(result, "tolist") and hasattr(result, "__len__"):
        try:
            elements = result.tolist()
        except Exception as error:
            raise WrongResult(f"run() returned a {type_name(result)} whose tolist() raised {type(error).__name__}: {error}") from None
        if isinstance(elements, list):
            return elements
    advice = "return a list, an array or a pandas DataFrame with an element for each file that was scored"
    kind = "None" if result is None else f"a {type_name(result)}"
    raise WrongResult(f"run() returned {kind}: {advice}")


def _is_frame(result: Any) -> bool:
    # By its shape: pandas need not be installed.
    return hasattr(result, "itertuples") and hasattr(result, "columns") and hasattr(result, "__len__")


def _frame_lines(frame: Any) -> Iterator[str]:
    """Fields with one blank between them, as `to_csv(sep=" ", header=False, index=False)` quotes them."""
    line = io.StringIO()
    writer = csv.writer(line, delimiter=" ", lineterminator="")
    for row in frame.itertuples(index=False, name=None):
        writer.writerow([_field(value) for value in row])
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def _field(value: Any) -> str:
    # What is missing is empty: None, NaN, NaT and pandas' NA, none of which is equal to itself for sure.
    if value is None:
        return ""
    try:
        if value != value:
            return ""
    except Exception:  # comparing NA gives NA, whose truth is an error; arrays have none, either
        if type(value).__name__ == "NAType":
            return ""
    return one_line(str(value))


def one_line(text: str) -> str:
    if "\n" not in text and "\r" not in text:
        return text
    return text.replace("\r", "\\r").replace("\n", "\\n")
