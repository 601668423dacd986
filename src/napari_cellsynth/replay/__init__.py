"""What was done, as a Python script and as shell commands that do it again and give the same pixels.

A :class:`~.steps.Replay` is read from what files, layers and run folders say
of themselves (:mod:`.origin`), or from the record of a session
(:mod:`.record`); :mod:`.python` and :mod:`.shell` write it.  Loads neither
torch nor Qt.
"""
