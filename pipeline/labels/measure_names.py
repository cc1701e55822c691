"""Which numbers a measured attribute can be made from."""

# Taken from the pixels when a sample is decoded; stored in the measurements table.
RAW_MEASURES = ("sharpness", "brightness", "contrast")

# Read from the samples table: of an object's box or, for a whole image, of the image; in pixels.
# With "box_" or without, a name means the same.
SIZE_MEASURES = (
    "width",
    "height",
    "aspect_ratio",
    "area",
    "box_width",
    "box_height",
    "box_aspect_ratio",
    "box_area",
)

# Read from the boxes of the objects: a whole image has none.
BOX_MEASURES = (
    "box_truncated",
    "box_crowding",
    "box_center_x",
    "box_center_y",
    "box_relative_area",
)

# Counted from the text that is read in a whole image.
TEXT_MEASURES = ("text_count", "text_area")

MEASURE_NAMES = RAW_MEASURES + SIZE_MEASURES + BOX_MEASURES + TEXT_MEASURES
