"""Checks of procedures: rules over records and facts, and the engine that evaluates them."""
