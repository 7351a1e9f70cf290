"""The findings of the last run as a database, which ``connectors.reconciliation`` declares.

``publish`` brings it to the state after a run; ``request`` notes that a correction was requested;
``follow`` counts how far the corrections are (decision 79).
"""
