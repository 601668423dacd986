"""What a comparison found, as a folder to read, to publish from and to compute with."""
