"""The process that runs a user's scoring script. Standard library only, Python 3.9 and later."""
