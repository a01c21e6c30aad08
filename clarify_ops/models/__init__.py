"""Models to ask: whatever turns a table of features into scores."""
