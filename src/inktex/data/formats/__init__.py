"""The layouts in which the data sets of the field circulate, read and written."""
