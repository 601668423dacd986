"""Files and folders that hold recordings: reading, describing, writing."""
