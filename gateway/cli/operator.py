"""Who runs a command: what the journal and planned maintenance name as the operator."""

from __future__ import annotations

import os
import pwd


def operator_name() -> str:
    """Return the name of the user as whom this process runs, else the number of that user.

    Not that of the environment: anybody may set ``LOGNAME``.
    """
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
