"""Schema: the GraphQL schema, derived from the declared databases."""
