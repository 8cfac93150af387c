"""The web app: one page over the pipeline, served by `infill app`. See `infill.web.serve`."""
