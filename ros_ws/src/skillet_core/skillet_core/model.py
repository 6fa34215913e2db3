"""The base of every pydantic model in Skillet: immutable, and an unknown field is an error."""

from __future__ import annotations

import pydantic


class DataModel(pydantic.BaseModel):
    """Immutable data that refuses fields it does not know and numbers that are not finite."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
