"""Names of the methods, apart from the methods, because these need no import."""

OURS = "exemplar"
GMIC = "gmic"
NAMES = (OURS, "telea", "navier-stokes", "biharmonic", GMIC)
