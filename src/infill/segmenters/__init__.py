"""Segmenters: from a click, a box, a brush or a few words to the mask of the object meant."""
