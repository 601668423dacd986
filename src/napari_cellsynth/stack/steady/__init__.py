"""A recording without the motion of its stage, what was drawn on it, and the way back."""
