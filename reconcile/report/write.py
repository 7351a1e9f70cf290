"""Writes the summary and the report of a run from its counts."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.description import Database
from reconcile.layout import ReconcileFolder, RunFolder
from reconcile.manifest import read_manifest
from reconcile.report.counts import RunCounts, key_fingerprint, read_counts
from reconcile.report.figures import ReportFigures, build_figures
from reconcile.report.page import render_report
from reconcile.report.summary import build_summary, read_published, summary_text, write_text
from rules.rule import ConflictRule


class OtherHashKey(ValueError):
    """The key of keyed hashes is not that of the run: it would be rounded in another way.

    Two reports of one run that are rounded in two ways tell together what each of them hides.
    """


def write_report(
    folder: ReconcileFolder,
    run: RunFolder,
    rules: Sequence[ConflictRule],
    databases: Sequence[Database],
) -> ReportFigures:
    """Write ``summary.json`` and ``report.html``, and return what they show.

    ``counts.parquet`` must be there; extracts and findings need not. Written again, both are the
    same. Costs some 100 ms. Raises OSError, OtherVersion, OtherHashKey, and ValueError for counts
    of other rules.
    """
    manifest = read_manifest(run.manifest)
    counts = read_counts(run.counts)
    hash_key = folder.hash_key.read_bytes()
    if counts.fingerprint != key_fingerprint(hash_key):
        raise OtherHashKey(f"{folder.hash_key} is not the key of {manifest.run}")
    published = _published(folder, counts)
    figures = build_figures(counts, manifest, rules, hash_key, published)
    page = render_report(figures, databases)
    write_text(run.summary, summary_text(build_summary(figures)))
    write_text(run.report, page)
    return figures


def _published(folder: ReconcileFolder, counts: RunCounts) -> dict[str, int | None] | None:
    return None if counts.earlier is None else read_published(folder.run(counts.earlier))
