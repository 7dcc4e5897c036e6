"""What is minimised and in which order: objectives, penalties, stages."""
