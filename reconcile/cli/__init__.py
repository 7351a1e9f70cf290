"""The commands ``justice-gateway reconcile …``."""
