"""What checks of procedures need and no database holds: lists that ministries decide."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from gateway.settings.part import SettingsPart

#: The code of a commune (Decision 19/2025/QĐ-TTg).
_Commune = Annotated[str, StringConstraints(pattern=r"^[0-9]{5}$")]


class ProcedureSettings(SettingsPart):
    """Lists for checks.

    ``special_area_communes``: communes of extreme difficulty, for legal aid (Law 11/2017/QH14 Art.
    7(4)); the list is the Prime Minister's. None: a document has to show where somebody resides.
    """

    special_area_communes: tuple[_Commune, ...] = ()
