"""The base of every group of settings."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class SettingsPart(BaseModel):
    """A group of settings: immutable, and a name that it does not have is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)
