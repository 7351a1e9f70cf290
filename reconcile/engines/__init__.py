"""Engines: run the statements of the rules over extracted records."""
