"""What the page of statistics asks: the choice in its address, as an operation, and its faults.

No person is named, so the choice stands in the address: a table has a link.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import orjson
from starlette.datastructures import QueryParams

from connectors.description import Database, Record, Text
from disclosure.lattice import MOST_DIMENSIONS
from gateway.execution.parameters import Parameters, ReceivedRequest
from gateway.pages.phrases.statistics import STATISTICS
from gateway.statistics.dimensions import Dimension

#: The parameters of the address.
RECORD, BY, FROM, TO, SHOW = "record", "by", "from", "to", "show"
#: Digits of a year, and values of one parameter, that are read.
_DIGITS, _MOST_VALUES = 9, 20
_YEAR = "YEAR"
_DOCUMENT = """query StatisticsPage($database: String!, $record: String!, $groupBy: [String!]!,
    $fromYear: Int, $toYear: Int) {
  statistics(database: $database, record: $record, groupBy: $groupBy, fromYear: $fromYear,
      toYear: $toYear) {
    countedBefore total method { vi en }
    dimensions { name title { vi en } values { code title { vi en } } }
    cells { values count }
    source { state message { vi en } }
  }
}"""


@dataclass(frozen=True, slots=True)
class StatisticsChoice:
    """What is chosen, as typed. ``record``: database and record, ``civil_status.births``.

    ``is_complete``: the figures are wanted, and not the form alone.
    """

    record: str = ""
    by: tuple[str, ...] = ()
    first: str = ""
    last: str = ""
    is_complete: bool = False

    @classmethod
    def read(cls, address: QueryParams) -> StatisticsChoice:
        """Return the choice in an address."""
        return cls(
            address.get(RECORD, ""),
            tuple(address.getlist(BY)[:_MOST_VALUES]),
            address.get(FROM, "").strip(),
            address.get(TO, "").strip(),
            SHOW in address,
        )

    @property
    def names(self) -> tuple[str, str]:
        """The names of the database and of the record, as typed."""
        database, _, record = self.record.partition(".")
        return database, record

    def find_record(self, databases: Sequence[Database]) -> tuple[Database, Record] | None:
        """Return what is chosen; None: there is no such record."""
        name, record_name = self.names
        database = next((candidate for candidate in databases if candidate.name == name), None)
        record = None if database is None else database.by_name.get(record_name)
        return None if database is None or record is None else (database, record)

    def receive(self) -> ReceivedRequest:
        """Return the request, as if it had come over GraphQL."""
        database, record = self.names
        variables = {
            "database": database,
            "record": record,
            "groupBy": self.by,
            "fromYear": _year(self.first),
            "toYear": _year(self.last),
        }
        return ReceivedRequest(
            _parse, orjson.dumps({"query": _DOCUMENT, "variables": variables}, default=str)
        )

    def address(self, *other_parameters: tuple[str, str]) -> str:
        """Return the rest of an address with this choice, beside ``other_parameters``."""
        chosen = [(RECORD, self.record), *((BY, name) for name in self.by)]
        years = [(name, text) for name, text in ((FROM, self.first), (TO, self.last)) if text]
        return f"?{urlencode([*other_parameters, *chosen, *years, (SHOW, '1')])}"

    def faults(self, dimensions: Sequence[Dimension]) -> Mapping[str, Text]:
        """Return what is wrong with each field, after the gateway refused the whole.

        ``dimensions``: of the record; the refusal itself is the gateway's.
        """
        faults: dict[str, Text] = {}
        unknown = [
            name for name in self.by if name not in {dimension.name for dimension in dimensions}
        ]
        finer = {
            dimension.finer[0]
            for dimension in dimensions
            if dimension.finer and dimension.name in self.by
        }
        if unknown:
            says, names = STATISTICS["no_such_dimension"], ", ".join(unknown)
            faults[BY] = Text(f"{says.vi}: {names}.", f"{says.en}: {names}.")
        elif len(self.by) > MOST_DIMENSIONS:
            faults[BY] = STATISTICS["too_many"]
        elif finer & {*self.by}:
            faults[BY] = STATISTICS["coarser"]
        years = [_year(text) for text in (self.first, self.last) if text]
        if not all(isinstance(year, int) for year in years):
            faults[FROM] = STATISTICS["bad_year"]
        elif years and _YEAR not in self.by:
            faults[FROM] = STATISTICS["needs_year"]
        elif len(years) > 1 and int(self.first) > int(self.last):
            faults[FROM] = STATISTICS["reversed_years"]
        return faults


def _parse(body: bytes, _operation: str | None) -> Parameters:
    sent = orjson.loads(body)
    return Parameters(sent["query"], None, sent["variables"], in_url=False)


def _year(text: str) -> int | str | None:
    """Return a year as it is sent: what is no number is the gateway's to refuse."""
    is_number = text.isascii() and text.isdigit() and len(text) <= _DIGITS
    return int(text) if is_number else text or None
