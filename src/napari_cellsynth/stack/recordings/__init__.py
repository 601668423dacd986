"""The table of recordings: what belongs to a study, how it is read, and what is held out of it, once for all."""
