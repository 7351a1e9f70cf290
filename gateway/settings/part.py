"""The base of every group of settings."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, PrivateAttr, model_validator


class SettingsPart(BaseModel):
    """A group of settings. It is immutable, and a name that it does not have is refused.

    ``RENAMED``: former names of settings, which are still accepted, and the present ones.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    RENAMED: ClassVar[dict[str, str]] = {}
    _former_names: tuple[str, ...] = PrivateAttr(default=())

    @property
    def former_names(self) -> tuple[str, ...]:
        """The former names by which settings of this group were given."""
        return self._former_names

    @model_validator(mode="wrap")
    @classmethod
    def _accept_former_names(cls, values: object, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if not cls.RENAMED or not isinstance(values, dict):
            return handler(values)
        former_names = tuple(name for name in cls.RENAMED if name in values)
        for name in former_names:
            if cls.RENAMED[name] in values:
                raise ValueError(f"{name} is the former name of {cls.RENAMED[name]}: give one")
        part = handler({cls.RENAMED.get(name, name): value for name, value in values.items()})
        part._former_names = former_names
        return part
