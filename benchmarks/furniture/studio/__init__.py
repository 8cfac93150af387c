"""What the scenes share: materials, shapes, light, camera, rendering and masks.

Units are metres, z is up, the floor is z = 0, and the camera looks along +y. `masks` and `scene`
need no Blender; the rest imports `bpy`.
"""
