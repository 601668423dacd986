"""Is a recording fit for use?  Faults of single frames, jumps, the stage's motion, and how to take that out."""
