"""The rules of telling that a programme keeps."""
