"""The project's version: read by hatchling when it builds, and by the intake's description when it runs.

An image holds the packages but not their distribution's metadata, so importlib.metadata cannot tell it.
"""

VERSION = "0.1.0"
