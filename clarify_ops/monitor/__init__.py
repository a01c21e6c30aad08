"""What has changed since a baseline: bias metrics and feature attributions."""
