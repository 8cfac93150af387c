"""Ten interior scenes rendered by the project itself: rooms with and without an object.

`make.py` renders them (it needs Blender as a Python module); `samples/` holds what it made.
"""
