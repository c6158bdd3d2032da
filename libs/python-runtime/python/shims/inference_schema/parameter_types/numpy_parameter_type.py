"""NumPy arrays. Needs numpy in the environment."""

from typing import Any, Dict

import numpy as np

from ..schema_util import SchemaViolation
from ._schema import schema_of_json
from .abstract_parameter_type import AbstractParameterType


class NumpyParameterType(AbstractParameterType):
    """
    An array like `sample_input`: with `enforce_column_type` of its dtype, with `enforce_shape` of its number of
    dimensions and of its size in every dimension but the first.
    """

    def __init__(self, sample_input: np.ndarray, enforce_column_type: bool = True, enforce_shape: bool = True) -> None:
        if not isinstance(sample_input, np.ndarray):
            raise TypeError(f"NumpyParameterType needs a numpy array as its sample, and got a {type(sample_input).__name__}")
        super().__init__(sample_input)
        self.enforce_column_type = enforce_column_type
        self.enforce_shape = enforce_shape

    def deserialize_input(self, input_data: Any) -> np.ndarray:
        if isinstance(input_data, np.ndarray):
            return input_data
        if not isinstance(input_data, list):
            raise SchemaViolation(f"expected a list for a numpy array, and got a {type(input_data).__name__}")
        array = self._array(input_data)
        if self.enforce_shape:
            self._check_shape(array)
        return array

    def _array(self, rows: list) -> np.ndarray:
        dtype = self.sample_input.dtype if self.enforce_column_type else None
        if dtype is not None and dtype.names:
            return np.array([self._record(row) for row in rows], dtype=dtype)
        try:
            return np.array(rows, dtype=dtype)
        except (TypeError, ValueError, OverflowError) as error:
            raise SchemaViolation(f"not an array of {dtype}: {error}") from None

    def _record(self, row: Any) -> tuple:
        """A structured array's rows are objects by field name."""
        names = self.sample_input.dtype.names
        if not isinstance(row, dict) or any(name not in row for name in names):
            raise SchemaViolation(f"each row must be an object with {', '.join(names)}")
        return tuple(row[name] for name in names)

    def _check_shape(self, array: np.ndarray) -> None:
        wanted = self.sample_input.shape
        if array.ndim != len(wanted):
            raise SchemaViolation(f"Invalid input array: an array with {len(wanted)} dimensions is expected; input has {array.ndim} [shape {array.shape}]")
        for dimension in range(1, len(wanted)):
            if array.shape[dimension] != wanted[dimension]:
                raise SchemaViolation(
                    f"Invalid input array: array has size {array.shape[dimension]} on dimension #{dimension}, while expected value is {wanted[dimension]}"
                )

    def input_to_swagger(self) -> Dict[str, Any]:
        sample = self.sample_input
        names = sample.dtype.names
        example = [dict(zip(names, row)) for row in sample.tolist()] if names else sample.astype(str).tolist() if sample.dtype.kind in "mM" else sample.tolist()
        return {**schema_of_json(example), "example": example, "format": "numpy.ndarray"}
