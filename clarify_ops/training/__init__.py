"""Training: which columns the model sees, how rows are split, fitting, and saving what was fitted."""
