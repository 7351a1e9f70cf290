"""What is compared between a record without a number and a person, level by level.

Levels are tried from the first on; where a value is missing a comparison says nothing (its weight
is 0). They are SQL over the columns of ``preparation.COMPARED`` that DuckDB and Spark share, with
``_l`` and ``_r`` for the two sides, in either order. Weights are adjusted by how frequent a name
is where ``frequency`` names its column: more than 30% of all people are called Nguyễn.
"""

from __future__ import annotations

from dataclasses import dataclass

from connectors.description import Text


@dataclass(frozen=True, slots=True)
class LinkageLevel:
    """A grade of agreement. ``condition`` None: everything else. ``frequency``: adjusted."""

    text: Text
    condition: str | None
    frequency: bool = False


@dataclass(frozen=True, slots=True)
class LinkageComparison:
    """Levels, the best first. ``unknown``: when nothing can be said."""

    name: str
    title: Text
    unknown: str
    levels: tuple[LinkageLevel, ...]
    frequency: str | None = None

    def level_text(self, level: int) -> Text:
        """Return what a level means: the number of levels below it, -1 for unknown."""
        return UNKNOWN if level < 0 else self.levels[len(self.levels) - 1 - level].text


UNKNOWN = Text("không có dữ liệu", "not recorded")
_OTHER = LinkageLevel(Text("khác nhau", "different"), None)
_SAME = Text("giống nhau", "the same")
_SLIP = Text("khác một chữ cái", "one letter apart")
_SHORT = Text("viết tắt", "abbreviated")


def _both(column: str) -> str:
    return f"{column}_l = {column}_r"


def _missing(*columns: str) -> str:
    return " or ".join(f"{column}_{side} is null" for column in columns for side in "lr")


def _name_part(column: str, title: Text) -> LinkageComparison:
    dotted = f"({column}_l like '%.' or {column}_r like '%.')"
    first = f"substr({column}_l, 1, 1) = substr({column}_r, 1, 1)"
    return LinkageComparison(
        column,
        title,
        _missing(column),
        (
            LinkageLevel(_SAME, _both(column), frequency=True),
            LinkageLevel(_SHORT, f"{dotted} and {first}"),
            LinkageLevel(_SLIP, f"levenshtein({column}_l, {column}_r) <= 1"),
            _OTHER,
        ),
        frequency=column,
    )


def _date(prefix: str, title: Text, *before: LinkageLevel) -> LinkageComparison:
    day, month, year = (f"{prefix}_{part}" for part in ("day", "month", "year"))
    swapped = f"{day}_l = {prefix}_swapped_r or {prefix}_swapped_l = {day}_r"
    same_year = Text("cùng năm", "the same year")
    year_alone = Text("cùng năm, một bên chỉ có năm", "the same year, which is all one side has")
    unknown = _missing(year) if not before else f"({year}_l is null and {year}_r is null)"
    return LinkageComparison(
        prefix,
        title,
        unknown,
        (
            *before,
            LinkageLevel(Text("cùng ngày", "the same day"), _both(day)),
            LinkageLevel(Text("ngày và tháng đảo nhau", "day and month swapped"), swapped),
            LinkageLevel(year_alone, f"{_both(year)} and ({_missing(month)})"),
            LinkageLevel(
                Text("khác một chữ số", "one digit apart"), f"levenshtein({day}_l, {day}_r) <= 1"
            ),
            LinkageLevel(same_year, _both(year)),
            _OTHER,
        ),
    )


def _parent(role: str, other: str, title: Text) -> LinkageComparison:
    swapped = f"{role}_l = {other}_r or {other}_l = {role}_r"
    return LinkageComparison(
        role,
        title,
        _missing(role),
        (
            LinkageLevel(_SAME, _both(role), frequency=True),
            LinkageLevel(Text("đổi chỗ cha và mẹ", "father and mother swapped"), swapped),
            *_similar_names(role),
            _OTHER,
        ),
        frequency=role,
    )


def _similar_names(column: str) -> tuple[LinkageLevel, ...]:
    close = f"levenshtein({column}_l, {column}_r) <= 2"
    return (
        LinkageLevel(Text("khác tối đa hai chữ cái", "at most two letters apart"), close),
        LinkageLevel(Text("cùng tên", "the same given name"), _both(f"{column}_given")),
    )


GIVEN = _name_part("given", Text("tên", "Given name"))
FAMILY = _name_part("family", Text("họ", "Family name"))
MIDDLE = _name_part("middle", Text("chữ đệm", "Middle name"))
#: Where the letters agree: marks of letters and tones, wherever in a syllable they stand.
MARKS = LinkageComparison(
    "marks",
    Text("dấu của họ tên", "Marks of the name"),
    f"{_missing('marks')} or name_l <> name_r",
    (LinkageLevel(_SAME, _both("marks")), _OTHER),
)
BIRTH = _date("birth", Text("ngày sinh", "Date of birth"))
SEX = LinkageComparison(
    "sex", Text("giới tính", "Sex"), _missing("sex"), (LinkageLevel(_SAME, _both("sex")), _OTHER)
)
PLACE = LinkageComparison(
    "place",
    Text("nơi", "Place"),
    f"({_missing('commune')}) and ({_missing('province')})",
    (
        LinkageLevel(
            Text("cùng xã, cùng tỉnh", "the same commune and province"),
            f"{_both('commune')} and {_both('province')}",
        ),
        LinkageLevel(
            Text("cùng tên xã, không rõ tỉnh", "the same commune, province unknown"),
            f"{_both('commune')} and ({_missing('province')})",
        ),
        LinkageLevel(
            Text("cùng tên xã, khác tỉnh", "a commune of the same name"), _both("commune")
        ),
        LinkageLevel(Text("cùng tỉnh", "the same province"), _both("province")),
        _OTHER,
    ),
)
MOTHER = _parent("mother", "father", Text("tên mẹ", "Mother's name"))
FATHER = _parent("father", "mother", Text("tên cha", "Father's name"))
SPOUSE = LinkageComparison(
    "spouse",
    Text("tên vợ, chồng", "Spouse's name"),
    "(spouse_l is null and partner_l is null) or (spouse_r is null and partner_r is null)",
    (
        LinkageLevel(_SAME, _both("spouse"), frequency=True),
        LinkageLevel(
            Text("cha, mẹ kia của con", "the other parent of a child"),
            "partner_l = spouse_r or spouse_l = partner_r",
        ),
        LinkageLevel(
            Text("khác tối đa hai chữ cái", "at most two letters apart"),
            "levenshtein(spouse_l, spouse_r) <= 2 or levenshtein(partner_l, spouse_r) <= 2"
            " or levenshtein(spouse_l, partner_r) <= 2",
        ),
        LinkageLevel(
            Text("cùng tên", "the same given name"),
            "spouse_given_l = spouse_given_r or partner_given_l = spouse_given_r"
            " or spouse_given_l = partner_given_r",
        ),
        _OTHER,
    ),
    frequency="spouse",
)
DEATH = _date(
    "death",
    Text("ngày chết", "Date of death"),
    LinkageLevel(
        Text("theo dân cư còn sống", "alive in the population database"),
        "alive_l is not null or alive_r is not null",
    ),
)

#: Another given name and another year of birth: parents and places then speak of a brother or a
#: sister, whom the model, which takes comparisons for independent, would propose in place of
#: somebody who is not in the population. Levels as Splink names them.
SIBLINGS = f"gamma_{GIVEN.name} < {len(GIVEN.levels) - 1} and gamma_{BIRTH.name} = 0"

#: What is compared for each record.
COMPARISONS: dict[str, tuple[LinkageComparison, ...]] = {
    "births": (GIVEN, FAMILY, MIDDLE, MARKS, BIRTH, SEX, PLACE, MOTHER, FATHER),
    "marriages": (GIVEN, FAMILY, MIDDLE, MARKS, BIRTH, SEX, PLACE, SPOUSE),
    "deaths": (GIVEN, FAMILY, MIDDLE, MARKS, BIRTH, SEX, PLACE, DEATH),
}

#: Pairs that are compared at all, by columns that must agree: never a family name alone, and never
#: few enough columns that pairs grow with the square of the people.
BLOCKING: dict[str, tuple[tuple[str, ...], ...]] = {
    "births": (
        ("name", "birth_year", "province"),
        ("name", "birth_year", "commune"),
        ("name", "birth_day"),
        ("given", "birth_day", "commune"),
        ("family", "birth_day", "commune"),
        ("given", "birth_year", "commune"),
        ("birth_year", "commune", "province"),
        ("mother", "father"),
        ("mother", "birth_year", "commune"),
        ("father", "birth_year", "commune"),
        ("name", "mother"),
        ("name", "father"),
    ),
    "marriages": (
        ("name", "birth_year", "commune"),
        ("name", "spouse"),
        ("birth_year", "commune", "sex"),
        ("given", "spouse", "birth_year"),
        ("name", "birth_year", "spouse_given"),
    ),
    "deaths": (
        ("name", "birth_year", "province"),
        ("name", "death_day"),
        ("given", "death_day", "province"),
        ("family", "birth_year", "death_day"),
        ("given", "birth_year", "commune"),
        ("birth_year", "commune", "province"),
        ("birth_year", "death_day"),
    ),
}
#: Pairs of which expectation maximisation learns m: each leaves out what the other fixes.
TRAINING: dict[str, tuple[tuple[str, ...], ...]] = {
    "births": (("name", "birth_year"), ("birth_day", "commune"), ("name", "commune")),
    "marriages": (("name", "birth_year"), ("spouse", "birth_year"), ("name", "commune")),
    "deaths": (("name", "birth_year"), ("death_day", "commune"), ("name", "commune")),
}
