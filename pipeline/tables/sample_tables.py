"""Samples, and what is read from their pixels."""

import polars as pl

from pipeline.tables.schema import Schema

BOX: Schema = {  # in pixels of the upright image
    "x": pl.Float64(),
    "y": pl.Float64(),
    "w": pl.Float64(),
    "h": pl.Float64(),
}
SAMPLES: Schema = {
    "sample_id": pl.String(),
    "content_key": pl.String(),
    "path": pl.String(),  # posix, relative to the dataset's images
    **BOX,  # null for whole images
    "parent_id": pl.String(),  # sample_id of the whole image; null for whole images
    "annotation_id": pl.String(),  # of the object in its annotation file; null for whole images
    "category": pl.String(),
    "width": pl.Int64(),  # of the whole upright image
    "height": pl.Int64(),
    "split": pl.String(),
    "size": pl.Int64(),  # of the file, bytes
    "mtime": pl.Int64(),  # of the file, nanoseconds
}
# What changes with the content of a file though its size and time of change are set as before.
STAMP: Schema = {"ctime": pl.Int64(), "inode": pl.Int64()}
STAMPS: Schema = {"path": pl.String(), **STAMP}
OBJECTS: Schema = {  # the ground truth of a detection dataset, of every category, also ignored ones
    "source": pl.Int64(),  # which of the annotation files, from 0
    "image_id": pl.String(),  # as written in that file
    "path": pl.String(),
    "annotation_id": pl.String(),
    "category": pl.String(),
    **BOX,
    "crowd": pl.Boolean(),
    "ignore": pl.Boolean(),
}
SOURCE_IMAGES: Schema = {  # how predictions name the images
    "source": pl.Int64(),
    "image_id": pl.String(),
    "path": pl.String(),
}
REJECTS: Schema = {"path": pl.String(), "stage": pl.String(), "reason": pl.String()}
DETECTIONS: Schema = {  # of one detector: one row a detection, by falling score
    "content_key": pl.String(),  # of the image
    "category": pl.String(),  # null, as what follows, where nothing was detected
    **BOX,
    "score": pl.Float64(),
}
WINDOWS: Schema = {  # parts of images that are embedded like objects, whatever they show
    "content_key": pl.String(),  # of the window: of its image, and its box
    "image_key": pl.String(),  # content key of the image
    **BOX,
}
TEXTS: Schema = {  # of one reader: one row a line of text
    "content_key": pl.String(),  # of the image
    "text": pl.String(),  # null, as what follows, where nothing can be read
    "score": pl.Float64(),  # 0 to 1
    **BOX,  # upright, around the text
}
BROKEN: Schema = {  # content that cannot be decoded or encoded, so that it is not tried again
    "content_key": pl.String(),
    "reason": pl.String(),
}
MEASUREMENTS: Schema = {
    "content_key": pl.String(),
    "measure": pl.String(),
    "measure_version": pl.String(),
    "value": pl.Float64(),
}
