"""Pandas data frames. Needs pandas in the environment."""

import io
import json
from typing import Any, Dict

import pandas as pd

from ..schema_util import SchemaViolation
from ._schema import schema_of_json
from .abstract_parameter_type import AbstractParameterType

_ORIENTS = ("split", "records", "index", "columns", "values", "table")


class PandasParameterType(AbstractParameterType):
    """
    A data frame like `sample_input`, in JSON of form `orient` as `DataFrame.to_json` writes it: with
    `enforce_column_type` of its column types, with `enforce_shape` of its number of columns.
    """

    def __init__(
        self,
        sample_input: pd.DataFrame,
        enforce_column_type: bool = True,
        enforce_shape: bool = True,
        apply_column_names: bool = False,
        orient: str = "records",
    ) -> None:
        if not isinstance(sample_input, pd.DataFrame):
            raise TypeError(f"PandasParameterType needs a DataFrame as its sample, and got a {type(sample_input).__name__}")
        if orient not in _ORIENTS:
            raise ValueError(f"orient '{orient}' is not one of {', '.join(_ORIENTS)}")
        super().__init__(sample_input)
        self.enforce_column_type = enforce_column_type
        self.enforce_shape = enforce_shape
        self.apply_column_names = apply_column_names
        self.orient = orient

    def deserialize_input(self, input_data: Any) -> pd.DataFrame:
        if isinstance(input_data, pd.DataFrame):
            return input_data
        if not isinstance(input_data, (list, dict)):
            raise SchemaViolation(f"expected a list or an object for a data frame, and got a {type(input_data).__name__}")
        try:
            frame = pd.read_json(io.StringIO(json.dumps(input_data)), orient=self.orient, dtype=False)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise SchemaViolation(f"not a data frame of form '{self.orient}': {error}") from None
        if self.enforce_shape:
            self._check_columns(frame)
        if self.apply_column_names:
            frame.columns = self.sample_input.columns.copy()
        return self._typed(frame) if self.enforce_column_type else frame

    def _check_columns(self, frame: pd.DataFrame) -> None:
        wanted = self.sample_input.shape[1]
        if frame.shape[1] != wanted:
            raise SchemaViolation(f"Invalid input data frame: data frame has size {frame.shape[1]} on dimension #1, while expected value is {wanted}")

    def _typed(self, frame: pd.DataFrame) -> pd.DataFrame:
        types = self.sample_input.dtypes.to_dict()
        wanted = {column: types.get(column, object) for column in frame.columns}
        for column, kind in wanted.items():
            if str(kind).startswith("timedelta"):
                frame[column] = pd.to_timedelta(frame[column])
        try:
            return frame.astype(wanted)
        except (TypeError, ValueError) as error:
            raise SchemaViolation(f"the columns do not have the sample's types: {error}") from None

    def input_to_swagger(self) -> Dict[str, Any]:
        example = json.loads(self.sample_input.to_json(orient=self.orient, date_format="iso"))
        return {**schema_of_json(example), "example": example, "format": f"pandas.DataFrame:{self.orient}"}
