"""Shader nodes by short names, for the materials in more_surfaces and more_cloth."""

import bpy


class Nodes:
    """A material under construction: add nodes by short names, with sockets or values as inputs."""

    def __init__(self, name):
        self.material = bpy.data.materials.new(name)
        self.tree = self.material.node_tree
        if self.tree is None:
            self.material.use_nodes = True
            self.tree = self.material.node_tree
        self.tree.nodes.clear()

    def add(self, kind, _settings=None, **inputs):
        """A node 'ShaderNode<kind>'; input names have spaces as underscores, or are i0, i1..."""
        node = self.tree.nodes.new("ShaderNode" + kind)
        for key, value in (_settings or {}).items():
            setattr(node, key, value)
        for key, value in inputs.items():
            socket = (
                node.inputs[int(key[1:])]
                if key[0] == "i" and key[1:].isdigit()
                else node.inputs[key.replace("_", " ")]
            )
            if isinstance(value, bpy.types.NodeSocket):
                self.tree.links.new(value, socket)
            elif isinstance(value, tuple) and len(value) == 3 and socket.type == "RGBA":
                socket.default_value = (*value, 1)
            else:
                socket.default_value = value
        return node

    def math(self, operation, a, b=0.0, c=0.0, clamp=False):
        """The output of a maths node."""
        node = self.add("Math", {"operation": operation, "use_clamp": clamp}, i0=a, i1=b, i2=c)
        return node.outputs[0]

    def mix(self, share, a, b, blend="MIX"):
        """The colour between a and b."""
        node = self.add("MixRGB", {"blend_type": blend}, i0=share, i1=a, i2=b)
        return node.outputs[0]

    def ramp(self, value, stops):
        """A colour ramp; stops are (position, colour or grey)."""
        node = self.add("ValToRGB", i0=value)
        band = node.color_ramp
        while len(band.elements) < len(stops):
            band.elements.new(0.5)
        for element, (place, colour) in zip(band.elements, stops, strict=True):
            element.position = place
            colour = colour if isinstance(colour, tuple) else (colour,) * 3
            element.color = (*colour, 1)
        return node.outputs[0]

    def place(self, kind="Object", scale=(1, 1, 1), turn=(0, 0, 0)):
        """Texture coordinates, scaled."""
        source = self.add("TexCoord").outputs[kind]
        node = self.add("Mapping", Vector=source, Scale=scale, Rotation=turn)
        return node.outputs[0]

    def noise(self, where, scale, detail=4.0, rough=0.55, out=0):
        """A noise texture's value (out=0) or colour (out=1)."""
        return self.add(
            "TexNoise", Vector=where, Scale=scale, Detail=detail, Roughness=rough
        ).outputs[out]

    def bump(self, height, strength=0.3, distance=0.002):
        """A normal from a height."""
        return self.add("Bump", Strength=strength, Distance=distance, Height=height).outputs[0]

    def done(self, **inputs):
        """Finish with a Principled surface of these inputs; returns the material."""
        surface = self.add("BsdfPrincipled", **inputs)
        out = self.add("OutputMaterial")
        self.tree.links.new(surface.outputs[0], out.inputs[0])
        return self.material
