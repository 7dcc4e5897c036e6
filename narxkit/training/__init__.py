"""Training: objectives, penalties and the stages in which they are minimised."""
