"""HTTP: the endpoint, its headers, probes and pages."""
