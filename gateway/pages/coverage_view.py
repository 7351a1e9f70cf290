"""The coverage of a database in words: "none" means none within it, so it is never left out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from connectors.description import Coverage
from connectors.vocabulary import PROVINCES
from gateway.pages.languages import Language
from gateway.pages.phrases.catalogue import CATALOGUE


def view_coverage(coverage: Coverage, language: Language) -> Sequence[str]:
    """Return what ``coverage`` says, a phrase for each part; what is not stated is said too."""

    def say(name: str) -> str:
        return language.choose(CATALOGUE[name])

    phrases = [_provinces(coverage.provinces, language)]
    if coverage.since is not None:
        phrases.append(f"{say('covered_since')} {language.day(coverage.since)}")
    for name, texts in (("includes", coverage.includes), ("excludes", coverage.excludes)):
        if texts:
            phrases.append(f"{say(name)}: {'; '.join(map(language.choose, texts))}")
    numbering = {True: "unnumbered", False: "numbered", None: "numbering_not_stated"}
    phrases.append(say(numbering[coverage.unnumbered]))
    return phrases


def _provinces(codes: Sequence[str] | None, language: Language) -> str:
    if codes is None:
        return language.choose(CATALOGUE["whole_country"])
    if not codes:
        return language.choose(CATALOGUE["no_provinces"])
    if set(codes) == set(PROVINCES):
        return language.choose(CATALOGUE["all_provinces"])
    names = _province_names()
    return ", ".join(names.get(code, code) for code in codes)


@cache
def _province_names() -> Mapping[str, str]:
    provinces = json.loads((files("connectors") / "provinces.json").read_text("utf-8"))
    return {province["code"]: province["name"] for province in provinces["new34"]}
