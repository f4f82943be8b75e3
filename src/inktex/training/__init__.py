"""Training runs: configuration, objective, Lightning module, callbacks and the run folder."""
