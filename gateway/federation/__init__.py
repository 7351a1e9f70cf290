"""The gateway as a subgraph of a federated graph: what the builder of the graph reads."""
