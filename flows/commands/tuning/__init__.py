"""`weakspot tune`: an encoder turned towards what its labels get wrong."""
