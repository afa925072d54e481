"""Numbers that describe a clip: the study's 180 (`study`), kept on disk (`store`)."""
