"""Market history from where it is published: what lies where, and how it comes here whole."""
