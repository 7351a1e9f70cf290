"""The pages that the frame of every page leads to, in the order in which it lists them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Section:
    """A page in the navigation. ``phrase``: its title, a name in ``phrases.frame``."""

    address: str
    phrase: str

    def contains(self, path: str) -> bool:
        """Return whether the page at ``path`` is this page, or one below it."""
        return path == self.address or path.startswith(f"{self.address}/")


SECTIONS = (
    Section("/procedures", "nav_procedures"),
    Section("/person", "nav_person"),
    Section("/me", "nav_me"),
    Section("/catalogue", "nav_catalogue"),
    Section("/status", "nav_status"),
    Section("/statistics", "nav_statistics"),
    Section("/operations", "nav_operations"),
    Section("/graphql", "nav_explorer"),
)
