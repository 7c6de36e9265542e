"""What system tests and the demonstration stand on: real servers on loopback,
each a direct child in a folder of its own."""
