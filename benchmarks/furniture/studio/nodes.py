"""Shader nodes written as expressions: `(tree.xyz().x * 40).sin()` instead of boxes and wires."""

from __future__ import annotations

from typing import Any

import bpy


def linear(colour: str | tuple[float, ...]) -> tuple[float, float, float, float]:
    """`#rrggbb` (sRGB) or a linear triple as linear RGBA with alpha 1."""
    if not isinstance(colour, str):
        return (colour[0], colour[1], colour[2], 1.0)
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    low = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return (low[0], low[1], low[2], 1.0)


class Value:
    """One number that the shader computes at each point."""

    def __init__(self, tree: Tree, socket: Any) -> None:
        self.tree, self.socket = tree, socket

    def _math(self, operation: str, *others: Any, swap: bool = False) -> Value:
        parts = [self, *others]
        return self.tree.math(operation, *(reversed(parts) if swap else parts))

    def __add__(self, other: Any) -> Value:
        return self._math("ADD", other)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Value:
        return self._math("SUBTRACT", other)

    def __rsub__(self, other: Any) -> Value:
        return self._math("SUBTRACT", other, swap=True)

    def __mul__(self, other: Any) -> Value:
        return self._math("MULTIPLY", other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Value:
        return self._math("DIVIDE", other)

    def sin(self) -> Value:
        return self._math("SINE")

    def abs(self) -> Value:
        return self._math("ABSOLUTE")

    def floor(self) -> Value:
        return self._math("FLOOR")

    def fract(self) -> Value:
        return self._math("FRACT")

    def mod(self, other: Any) -> Value:
        """Remainder that is never negative for a positive divisor."""
        return self._math("FLOORED_MODULO", other)

    def pow(self, other: Any) -> Value:
        return self._math("POWER", other)

    def above(self, other: Any) -> Value:
        return self._math("GREATER_THAN", other)

    def below(self, other: Any) -> Value:
        return self._math("LESS_THAN", other)

    def max(self, other: Any) -> Value:
        return self._math("MAXIMUM", other)

    def min(self, other: Any) -> Value:
        return self._math("MINIMUM", other)

    def smooth(self, low: float, high: float) -> Value:
        """0 below `low`, 1 above `high`, smooth between."""
        node = self.tree.node("ShaderNodeMapRange", props={"interpolation_type": "SMOOTHSTEP"})
        self.tree.feed(node.inputs[0], self)
        node.inputs[1].default_value, node.inputs[2].default_value = low, high
        return Value(self.tree, node.outputs[0])


class Point:
    """A position as three values."""

    def __init__(self, x: Value, y: Value, z: Value) -> None:
        self.x, self.y, self.z = x, y, z


class Tree:
    """The node tree of one material, with its Principled shader and output."""

    def __init__(self, name: str) -> None:
        self.material = bpy.data.materials.new(name)
        self.material.use_nodes = True
        self.tree = self.material.node_tree
        self.shader = self.tree.nodes["Principled BSDF"]
        self.output = self.tree.nodes["Material Output"]

    def node(self, kind: str, props: dict[str, Any] | None = None, **inputs: Any) -> Any:
        """A node of Blender's `kind`; inputs by name with `_` for a space."""
        node = self.tree.nodes.new(kind)
        for key, value in (props or {}).items():
            setattr(node, key, value)
        for key, value in inputs.items():
            self.feed(node.inputs[key.replace("_", " ")], value)
        return node

    def feed(self, socket: Any, value: Any) -> None:
        """Links `value` where it is a socket, sets it where it is a constant."""
        if isinstance(value, Value):
            value = value.socket
        if isinstance(value, bpy.types.NodeSocket):
            self.tree.links.new(value, socket)
        else:
            socket.default_value = value

    def math(self, operation: str, *parts: Any) -> Value:
        node = self.node("ShaderNodeMath", {"operation": operation})
        for socket, part in zip(node.inputs, parts, strict=False):
            self.feed(socket, part)
        return Value(self, node.outputs[0])

    def coords(self, kind: str = "Object") -> Any:
        """A coordinate socket: Object (metres), UV, Generated or Normal."""
        return self.node("ShaderNodeTexCoord").outputs[kind]

    def xyz(self, vector: Any | None = None) -> Point:
        node = self.node("ShaderNodeSeparateXYZ")
        self.feed(node.inputs[0], vector if vector is not None else self.coords())
        return Point(*(Value(self, s) for s in node.outputs))

    def join(self, x: Any, y: Any, z: Any = 0.0) -> Any:
        node = self.node("ShaderNodeCombineXYZ")
        for socket, part in zip(node.inputs, (x, y, z), strict=True):
            self.feed(socket, part)
        return node.outputs[0]

    def stretched(self, vector: Any, scale: tuple[float, float, float]) -> Any:
        node = self.node("ShaderNodeVectorMath", {"operation": "MULTIPLY"})
        self.feed(node.inputs[0], vector)
        node.inputs[1].default_value = scale
        return node.outputs[0]

    def moved(self, vector: Any, by: Any) -> Any:
        node = self.node("ShaderNodeVectorMath", {"operation": "ADD"})
        self.feed(node.inputs[0], vector)
        self.feed(node.inputs[1], by)
        return node.outputs[0]

    def random(self) -> Value:
        """A number in [0, 1] that differs from object to object."""
        return Value(self, self.node("ShaderNodeObjectInfo").outputs["Random"])

    def attribute(self, name: str) -> Value:
        return Value(
            self, self.node("ShaderNodeAttribute", {"attribute_name": name}).outputs["Fac"]
        )

    def noise(
        self,
        vector: Any,
        scale: float,
        detail: float = 3.0,
        roughness: float = 0.5,
        distortion: float = 0.0,
    ) -> Value:
        """Fractal noise in about [0, 1], mean 0.5."""
        node = self.node(
            "ShaderNodeTexNoise",
            Vector=vector,
            Scale=scale,
            Detail=detail,
            Roughness=roughness,
            Distortion=distortion,
        )
        return Value(self, node.outputs[0])

    def cells(self, vector: Any, scale: float, feature: str = "F1") -> Value:
        """Distance to the nearest seed (F1) or to the cell border (DISTANCE_TO_EDGE)."""
        node = self.node("ShaderNodeTexVoronoi", {"feature": feature}, Vector=vector, Scale=scale)
        return Value(self, node.outputs["Distance"])

    def scatter(self, vector: Any) -> Value:
        """White noise: one random number for each distinct vector."""
        return Value(self, self.node("ShaderNodeTexWhiteNoise", Vector=vector).outputs["Value"])

    def ramp(self, value: Any, *stops: tuple[float, Any]) -> Any:
        """A colour looked up along `stops` of (position, colour)."""
        node = self.node("ShaderNodeValToRGB")
        self.feed(node.inputs[0], value)
        elements = node.color_ramp.elements
        while len(elements) < len(stops):
            elements.new(0.5)
        for element, (position, colour) in zip(elements, stops, strict=True):
            element.position, element.color = position, linear(colour)
        return node.outputs[0]

    def mix(self, share: Any, first: Any, second: Any, blend: str = "MIX") -> Any:
        """Two colours mixed; a string is `#rrggbb`."""
        node = self.node("ShaderNodeMix", {"data_type": "RGBA", "blend_type": blend})
        self.feed(node.inputs[0], share)
        for socket, colour in ((node.inputs[6], first), (node.inputs[7], second)):
            self.feed(socket, linear(colour) if isinstance(colour, str) else colour)
        return node.outputs[2]

    def brightened(self, colour: Any, factor: Any) -> Any:
        node = self.node("ShaderNodeHueSaturation")
        self.feed(node.inputs["Color"], linear(colour) if isinstance(colour, str) else colour)
        self.feed(node.inputs["Value"], factor)
        return node.outputs[0]

    def bump(self, height: Any, depth: float, strength: float = 1.0, under: Any = None) -> Any:
        """A normal from `height` (0 to 1) that stands for `depth` metres."""
        node = self.node("ShaderNodeBump", Height=height, Distance=depth, Strength=strength)
        if under is not None:
            self.feed(node.inputs["Normal"], under)
        return node.outputs[0]

    def finish(self, colour: Any, roughness: Any, normal: Any = None, **more: Any) -> Any:
        """Fills in the Principled shader and returns the material."""
        self.feed(
            self.shader.inputs["Base Color"],
            linear(colour) if isinstance(colour, str) else colour,
        )
        self.feed(self.shader.inputs["Roughness"], roughness)
        if normal is not None:
            self.feed(self.shader.inputs["Normal"], normal)
        for key, value in more.items():
            socket = self.shader.inputs[key.replace("_", " ")]
            self.feed(socket, linear(value) if isinstance(value, str) else value)
        return self.material
