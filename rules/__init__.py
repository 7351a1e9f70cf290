"""Conflict rules: where records about one person contradict each other, and which of them prevails.

Written once (``rules.conflicts``), as expressions over declared records (``rules.expression``), and
run twice: per person over rows in memory (``rules.row_program``), and over whole databases in SQL
(``rules.statements``), with the same findings. Imports only ``connectors``.
"""
