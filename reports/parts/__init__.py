"""Parts that views share: numbers, words, charts, thumbnails."""
