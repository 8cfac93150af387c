"""One file a scene: `ABOUT` says what it is, `build()` sets it up in Blender."""
