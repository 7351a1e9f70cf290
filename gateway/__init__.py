"""justice-gateway: one GraphQL endpoint over the databases of a ministry of justice."""
