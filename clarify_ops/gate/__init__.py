"""The gate: measured results against a policy, and the evidence that binds the answer to what was measured."""
