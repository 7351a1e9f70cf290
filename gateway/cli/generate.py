"""The command ``justice-gateway generate``: synthetic people into the configured databases."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.checkout import needs_checkout
from gateway.cli.token import Config
from gateway.settings import LOADER_VARIABLE


def generate(
    people: Annotated[
        int, typer.Option(min=1, help="How many citizens at least: families are made whole.")
    ] = 2_000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same people.")] = 2026,
    contradictions: Annotated[
        float, typer.Option(min=0, max=1, help="Share of people whose records contradict.")
    ] = 0.0,
    folder: Annotated[
        Path | None, typer.Option(help="Write SQLite files here, not where the settings say.")
    ] = None,
    user: Annotated[
        str | None,
        typer.Option(help=f"Who loads servers; the password is in {LOADER_VARIABLE}."),
    ] = None,
    replace_tables: Annotated[
        bool, typer.Option("--replace", help="Drop tables that servers have already.")
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave alone what has tables already.")
    ] = False,
    config: Config = None,
) -> None:
    """Generate a synthetic population into the configured databases.

    A file is replaced whole, when all are complete. Servers are loaded in bulk, and a load that was
    broken off is resumed by the same command; the gateway's own user is given the right to read.
    Memory does not grow with the number of citizens. What is true of each person goes into
    truth.jsonl beside the files (or the settings), and contradictions of records into
    contradictions.jsonl there. Needs a checkout: the population is not in the wheel.
    """
    with needs_checkout("generate"):
        from connectors.synthetic.options import PopulationOptions
        from gateway.cli.population import generate_population
    options = PopulationOptions(people=people, seed=seed, contradiction_rate=contradictions)
    generate_population(options, folder, user, replace_tables, keep, config)
