"""Windows over the images of an audit, embedded once for whatever asks for them."""
