"""The steps of clarify_ops wrapped for an orchestrator, one package each."""
