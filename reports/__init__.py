"""Reports: frames of one audit in, one self-contained HTML page out."""
