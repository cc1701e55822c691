"""Bias of an encoder: pairs of words on images of groups, with the control that evidence needs."""
