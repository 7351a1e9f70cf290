"""The digest of the rules, under which alone a run is resumed."""

from __future__ import annotations

import hashlib
import json

from sqlalchemy.engine.default import DefaultDialect

from reconcile.engines.dialects import statement_text
from reconcile.engines.places import places_statement
from reconcile.layout import VERSION
from rules.statements import RuleStatements

_NO_DAY = "0000-00-00"


def rules_digest(statements: RuleStatements) -> str:
    """Return the SHA-256 of what findings depend on, in hexadecimal.

    These are the statements with their tables of letters, what is written of a rule, and the
    version of the files. Titles, advice and legal bases are not in findings.
    """
    dialect = DefaultDialect()
    prepared = [
        (table.name, statement_text(table.statement, dialect, _NO_DAY))
        for table in statements.preparation
    ]
    cases = [
        (
            item.rule.name,
            item.rule.severity.name,
            item.case.prevails,
            [
                (side.row.read.database, side.row.record.name, side.columns)
                for side in item.case.sides
            ],
            statement_text(item.statement, dialect, _NO_DAY),
        )
        for item in statements.cases
    ]
    places = statement_text(places_statement(True), dialect, _NO_DAY)
    text = json.dumps([VERSION, prepared, cases, places], ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
