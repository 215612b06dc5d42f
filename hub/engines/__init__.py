"""Where inference runs. One engine a file; all answer with the same stream of events."""
