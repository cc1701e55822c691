"""Texts about nothing in particular: what a score is compared with to know whether it is high."""

NEUTRAL_TEXTS = (
    "a photo", "a picture", "an image", "a photo of something", "a random photo", "a snapshot",
    "a photo of an object", "a photo of a thing", "a photo of a place", "a photo of a scene",
    "a photo of a person", "a photo of people", "a person", "a face", "a portrait", "a body",
    "a photo of an animal", "a photo of a plant", "a photo of food", "a photo of a drink",
    "a photo of a building", "a photo of a room", "a photo of a street", "a photo of a landscape",
    "a photo of the sky", "a photo of water", "a photo of the ground", "a photo of a wall",
    "a photo of a vehicle", "a photo of a machine", "a photo of a tool", "a photo of furniture",
    "a photo of clothing", "a photo of a hand", "a photo of a crowd", "a photo of a group",
    "a photo of a tree", "a photo of a road", "a photo of a house", "a photo of a window",
    "a photo of a table", "a photo of paper", "a photo of text", "a photo of a sign",
    "a photo of a screen", "a photo of a toy", "a photo of a container", "a photo of metal",
    "a photo of wood", "a photo of stone", "a photo of fabric", "a photo of glass",
    "a close-up", "a view from afar", "a background", "a photo taken indoors",
    "a photo taken outdoors", "a photo in color", "an ordinary photo", "part of a photo",
    "a cropped photo", "a photo of the center of a scene", "a thing in the middle", "a surface",
)  # fmt: skip
