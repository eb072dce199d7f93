"""The verbs of the command line as people write them; what they do is in `gateway/commands`."""
