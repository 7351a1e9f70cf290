"""The second stage: the rules over what was extracted, unit of work by unit of work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reconcile.engines.choice import open_engine
from reconcile.engines.engine import UncheckedCase
from reconcile.findings.findings_files import FindingsFiles
from reconcile.findings.key_files import read_key
from reconcile.national_run import NationalRun
from rules.registry import BULK_RULES
from rules.statements import RuleStatements, rule_statements


@dataclass(frozen=True, slots=True)
class CheckedPeople:
    """What was run over which units, with the cases that were not checked of everybody."""

    statements: RuleStatements
    unchecked: Sequence[UncheckedCase]
    findings: FindingsFiles
    units: Sequence[str]


def check_people(run: NationalRun) -> CheckedPeople:
    """Check the units that are not done yet, and save the manifest after each.

    Raises EngineFailure, RunStopped, KeyRefused, OSError.
    """
    statements = rule_statements(BULK_RULES, with_registration_dates=True)
    key = run.manifest.options.get("numbers_key")
    files = FindingsFiles(
        run.files, statements, run.hashes, None if key is None else read_key(Path(key))
    )
    engine = open_engine(run.settings)
    try:
        run.progress.stage("prepare", None)
        engine.prepare(run.files, run.manifest, statements)
        run.stop.check()
        units = engine.units()
        run.progress.stage("check", len(units), len(run.manifest.units))
        for unit in units:
            if unit in run.manifest.units:
                continue
            count = files.write_unit(unit, engine.findings(unit))
            run.save(run.manifest.with_unit(unit, count))
            run.progress.advance(len(run.manifest.units), unit)
            run.stop.check()
        return CheckedPeople(statements, tuple(engine.unchecked()), files, units)
    finally:
        engine.close()
