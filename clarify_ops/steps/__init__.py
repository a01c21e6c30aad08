"""The components without an orchestrator: files in, files out. Nothing else knows which file lies where."""
