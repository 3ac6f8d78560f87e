"""The flows that the package ships."""
