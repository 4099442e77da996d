"""The formats that a sample can be written in."""

FILE_FORMATS = ("csv", "parquet")

HANDLE_FORMS = ("number", "uuid", "email")
